"""Live events of the runs of this process, kept for its own readers."""

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from uuid import UUID

import orjson

from wtb_async.application.clock import utc_now
from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.application.views import LiveEventView
from wtb_async.domain.event_position import EventPosition
from wtb_async.domain.stream_mode import StreamMode, stream_modes

KEPT_EXECUTIONS = 200

Announce = Callable[[Iterable[UUID]], None]
_Events = deque[tuple[EventPosition, LiveEventView]]


class InMemoryFeed:
    """The live events of one run."""

    def __init__(
        self, run: ClaimedRun, kept: _Events, *, max_value_bytes: int, announce: Announce
    ) -> None:
        self.modes: Sequence[StreamMode] = stream_modes(run.stream)
        self.max_value_bytes = max_value_bytes
        self._execution_id = run.execution_id
        self._version = run.execution_version
        self._kept = kept
        self._announce = announce

    def put(self, event_type: str, data: bytes) -> None:
        """Show an event at once; `data` is a JSON object."""
        position = self._next_position()
        event = LiveEventView(
            id=str(position),
            type=event_type,
            at=utc_now(),
            execution_id=self._execution_id,
            data=orjson.loads(data),
        )
        self._kept.append((position, event))
        self._announce([self._execution_id])

    def _next_position(self) -> EventPosition:
        """A run that the database's absence cut off is driven again, and counts on."""
        newest = self._kept[-1][0] if self._kept else None
        seen = newest.live if newest and newest.version == self._version else 0
        return EventPosition(self._version, seen + 1)


class InMemoryLiveEvents:
    """Takes live events from runners and gives them to event streams.

    Args:
        max_value_bytes: values whose JSON is larger are left out of their events.
        kept_events: how many are kept of an execution; those of executions that were run long
            before others are gone.
        announce: told whose events have become more.
    """

    def __init__(self, *, max_value_bytes: int, kept_events: int, announce: Announce) -> None:
        self._max_value_bytes = max_value_bytes
        self._kept_events = kept_events
        self._announce = announce
        self._events: OrderedDict[UUID, _Events] = OrderedDict()

    @asynccontextmanager
    async def of_run(self, run: ClaimedRun) -> AsyncIterator[InMemoryFeed | None]:
        """The sink of a run, or None when it has no stream modes."""
        if not run.stream:
            yield None
            return
        kept = self._kept_of(run.execution_id)
        yield InMemoryFeed(
            run, kept, max_value_bytes=self._max_value_bytes, announce=self._announce
        )

    async def after(
        self, execution_id: UUID, position: EventPosition, *, limit: int
    ) -> list[tuple[int, LiveEventView]]:
        """The live events that follow one of a run, each with its number, and of no other run."""
        found = (
            (place.live, event)
            for place, event in self._events.get(execution_id, ())
            if place.version == position.version and place.live > position.live
        )
        return list(islice(found, limit))

    def _kept_of(self, execution_id: UUID) -> _Events:
        kept = self._events.setdefault(execution_id, deque(maxlen=self._kept_events))
        self._events.move_to_end(execution_id)
        if len(self._events) > KEPT_EXECUTIONS:
            self._events.popitem(last=False)
        return kept
