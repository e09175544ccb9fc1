"""One checkpoint, as its row in the database tells of it."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.types import Interrupt
from sqlalchemy import RowMapping

from wtb_async.domain.errors import UnreadableCheckpoint
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.infrastructure.checkpoints.next_nodes import Triggers, starts_tasks
from wtb_async.infrastructure.langgraph.shown_json import NotShown, reason_of, shown_json

_TRIGGERED = re.compile(r"~__pregel_pull, (?P<node>.+?)(?:, node_error_handler, \d+)?")
_SENT = re.compile(r"~__pregel_push, (?P<position>\d+),.*")


class StoredCheckpoint:
    """What a row of `TimelineRows` says of its checkpoint, without the graph."""

    def __init__(self, row: RowMapping, serde: SerializerProtocol) -> None:
        self.row = row
        self._serde = serde
        typed = zip(row["types"] or (), row["blobs"] or (), strict=True)
        self._blobs = dict(zip(row["channels"] or (), typed, strict=True))
        self._triggers = Triggers(
            versions=row["versions"],
            seen=row["seen"],
            inline=row["inline"],
            values=dict(self._trigger_values()),
        )

    @property
    def blobs(self) -> Mapping[str, Any]:
        """The channels whose values lie beside the checkpoint."""
        return self._blobs

    @property
    def created_at(self) -> datetime:
        """When LangGraph made it."""
        return datetime.fromisoformat(self.row["ts"])

    def load(self, channel: str) -> Any:  # noqa: ANN401 - the user's own values
        """Deserialise one of the blobs. Raises UnreadableCheckpoint."""
        return self._serde.loads_typed(self._blobs[channel])

    def next_nodes(self) -> list[str]:
        """Every task of the next superstep by its node, those that have finished meanwhile too."""
        return self._triggers.next_nodes()

    def questions(self, *, only_open: bool = False) -> list[JsonObject]:
        """What tasks of the next superstep asked: `{"id", "value", "node", "response_schema"}`."""
        return [
            _question(interrupt, self._node_of(path))
            for kind, blob, path, answered in self._asked()
            if not (only_open and answered)
            for interrupt in self._interrupts(kind, blob)
        ]

    def _trigger_values(self) -> Iterator[tuple[str, Any]]:
        """What can be read of them: nobody can tell what the others would have started."""
        for name in filter(starts_tasks, self._blobs):
            with suppress(UnreadableCheckpoint):
                yield name, self.load(name)

    def _interrupts(self, kind: str, blob: bytes) -> Collection[object]:
        try:
            asked = self._serde.loads_typed((kind, blob))
        except UnreadableCheckpoint as error:
            return ({"not_shown": reason_of(error)},)
        return asked if isinstance(asked, list | tuple) else (asked,)

    def _asked(self) -> Iterator[tuple[str, bytes, str, bool]]:
        columns = ("asked_types", "asked_blobs", "asked_paths", "answered")
        return zip(*(self.row[name] or () for name in columns), strict=True)

    def _node_of(self, task_path: str) -> str | None:
        """The node of a task: one that a channel started, or one that was sent an input."""
        if found := _TRIGGERED.fullmatch(task_path):
            return found["node"]
        if found := _SENT.fullmatch(task_path):
            return self._triggers.sent_to(int(found["position"]))
        return None


def _question(asked: object, node: str | None) -> JsonObject:
    """A question as readers see it; of a row that holds none, what it holds."""
    if not isinstance(asked, Interrupt):
        return {"id": None, "value": _shown(asked), "node": node, "response_schema": None}
    return {
        "id": asked.id,
        "value": _shown(asked.value),
        "node": node,
        "response_schema": _shown(asked.response_schema),
    }


def _shown(value: object) -> JsonValue:
    try:
        return shown_json(lambda: value)
    except NotShown as reason:
        return {"not_shown": str(reason)}
