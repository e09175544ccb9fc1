"""The events of one execution in order: its history, and between it what its runs showed."""

from collections import deque
from uuid import UUID

from wtb_async.application.ports import LiveEventSource
from wtb_async.application.views import EventView, LiveEventView
from wtb_async.domain.event_position import RUN_BEGINS, RUN_ENDS, EventPosition
from wtb_async.infrastructure.postgres.queries.events import EventQueries

Placed = tuple[EventPosition, EventView | LiveEventView]
"""An event, and where a reader stands who has seen it."""


class ExecutionEvents:
    """Reads on from a position, lifecycle events from Postgres and live events from Redis.

    A run's live events come after the event that began it and before the one that ended it. They
    are looked for before a lifecycle event is shown, and after it was read: the run's last ones
    were sent before its end was recorded.
    """

    def __init__(
        self,
        execution_id: UUID,
        after: EventPosition,
        *,
        lifecycle: EventQueries,
        live: LiveEventSource | None,
    ) -> None:
        """Begin after a position; without `live` only lifecycle events are read."""
        self.execution_id = execution_id
        self._position = after
        self._lifecycle = lifecycle
        self._live = live
        self._read: deque[EventView] = deque()
        self._run: int | None = None
        self._run_is_known = False

    async def next_chunk(self, limit: int) -> list[Placed]:
        """The events that come next; none when there are no more for now."""
        if not self._run_is_known:
            self._run = await self._run_at(self._position)
            self._run_is_known = True
        if not self._read:
            after = self._position.version
            self._read.extend(await self._lifecycle.since(self.execution_id, after, limit=limit))
        if shown := await self._next_live(limit):
            return shown
        return self._next_lifecycle()

    async def _run_at(self, position: EventPosition) -> int | None:
        if self._live is None:
            return None
        return await self._lifecycle.run_under_way(self.execution_id, position.version)

    async def _next_live(self, limit: int) -> list[Placed]:
        if self._live is None or self._run is None:
            return []
        after = EventPosition(self._run, self._position.live)
        events = await self._live.after(self.execution_id, after, limit=limit)
        return [(self._pass_live(number), event) for number, event in events]

    def _next_lifecycle(self) -> list[Placed]:
        """What was read, but nothing after the beginning of a run that may have live events."""
        chunk: list[Placed] = []
        while self._read:
            event = self._read.popleft()
            chunk.append((self._pass(event), event))
            if self._run is not None:
                break
        return chunk

    def _pass(self, event: EventView) -> EventPosition:
        seen = self._position.live
        if event.type == RUN_BEGINS or event.type in RUN_ENDS:
            seen = 0
            self._run = event.id if event.type == RUN_BEGINS and self._live else None
        self._position = EventPosition(event.id, seen)
        return self._position

    def _pass_live(self, number: int) -> EventPosition:
        self._position = EventPosition(self._position.version, number)
        return self._position
