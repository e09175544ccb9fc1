"""The state of an execution at any of its checkpoints."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from uuid import UUID

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.executions.views import ExecutionView, StateView
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.checkpoints.state_keys import WHOLE_STATE, is_state_key
from wtb_async.infrastructure.checkpoints.stored_checkpoint import StoredCheckpoint
from wtb_async.infrastructure.checkpoints.timeline_rows import TimelineRows
from wtb_async.infrastructure.langgraph.inspection import ShownChannels
from wtb_async.infrastructure.langgraph.shown_json import NotShown, shown_json

Rebuild = Callable[[ExecutionView, UUID, str, Sequence[str]], Awaitable[ShownChannels]]
"""Computes channels of an execution at a checkpoint of a thread."""

"""The only channel of a graph whose state has no keys."""


class StateReader:
    """Reads what the checkpoints' rows hold; only a DeltaChannel between two snapshots asks more.

    Args:
        engine: of the database with the checkpoints.
        serde: reads values.
        rebuild: computes what the rows hold only as differences.
    """

    def __init__(self, engine: AsyncEngine, serde: SerializerProtocol, rebuild: Rebuild) -> None:
        self._rows = TimelineRows(engine)
        self._serde = serde
        self._rebuild = rebuild

    async def read(self, execution: ExecutionView, checkpoint_id: UUID | None = None) -> StateView:
        """The state at a checkpoint of the execution's lineage.

        Args:
            execution: whose state.
            checkpoint_id: None is the newest of the execution's present thread.

        Raises:
            NotFound: the execution has no such root checkpoint.
        """
        wanted = None if checkpoint_id is None else str(checkpoint_id)
        row = await self._rows.one_with_values(execution.thread_id, wanted)
        if row is None:
            return _not_begun(execution)
        stored = StoredCheckpoint(row, self._serde)
        return _view(execution, stored, await self._values(execution, stored))

    async def _values(self, execution: ExecutionView, stored: StoredCheckpoint) -> ShownChannels:
        shown = _stored_values(stored)
        missing = list(_kept_as_differences(stored))
        if not missing:
            return shown
        row = stored.row
        rebuilt = await self._rebuild(execution, row["timeline_id"], row["checkpoint_id"], missing)
        return ShownChannels(
            values=shown.values | rebuilt.values, not_shown=shown.not_shown | rebuilt.not_shown
        )


def _view(execution: ExecutionView, stored: StoredCheckpoint, shown: ShownChannels) -> StateView:
    return StateView(
        execution_id=execution.id,
        thread_id=stored.row["timeline_id"],
        checkpoint_id=stored.row["checkpoint_id"],
        values=shown.values.get(WHOLE_STATE, shown.values),
        not_shown=shown.not_shown,
        next_nodes=stored.next_nodes(),
        interrupts=stored.questions(only_open=True),
        created_at=stored.created_at,
    )


def _not_begun(execution: ExecutionView) -> StateView:
    return StateView(
        execution_id=execution.id,
        thread_id=execution.thread_id,
        checkpoint_id=None,
        values={},
        not_shown={},
        next_nodes=[],
        interrupts=[],
        created_at=None,
    )


def _stored_values(stored: StoredCheckpoint) -> ShownChannels:
    shown = ShownChannels(values={}, not_shown={})
    for channel, read in _readers(stored):
        try:
            shown.values[channel] = shown_json(read, channel)
        except NotShown as reason:
            shown.not_shown[channel] = str(reason)
    return shown


def _readers(stored: StoredCheckpoint) -> Iterator[tuple[str, Callable[[], object]]]:
    inline: JsonObject = stored.row["inline_values"]
    for channel in filter(is_state_key, {**inline, **stored.blobs}):
        # A snapshot has a mark among the inline values, too.
        if channel in stored.blobs:
            yield channel, partial(_without_wrapping, stored, channel)
        else:
            yield channel, partial(inline.get, channel)


def _without_wrapping(stored: StoredCheckpoint, channel: str) -> object:
    value = stored.load(channel)
    return value.value if isinstance(value, _DeltaSnapshot) else value


def _kept_as_differences(stored: StoredCheckpoint) -> Iterator[str]:
    """The DeltaChannels that have a value, but no snapshot of it here."""
    present = {**stored.row["inline_values"], **stored.blobs}
    for channel in stored.row["delta_counters"] or ():
        if channel in stored.row["versions"] and channel not in present:
            yield channel
