"""The events of one execution in order: its history, and between it what its runs showed."""

from collections import deque
from collections.abc import Sequence
from uuid import UUID

from api.streams.following import CHUNK
from api.streams.frames import Frame, Subject, frame_of
from api.streams.hub import Watch
from wtb_async.application.ports import LiveEventSource
from wtb_async.application.views import EventView
from wtb_async.domain.event_position import RUN_BEGINS, RUN_ENDS, EventPosition
from wtb_async.infrastructure.postgres.queries.events import EventQueries


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
        self.subject = Subject("execution_id", execution_id)
        self._position = after
        self._lifecycle = lifecycle
        self._live = live
        self._read: deque[EventView] = deque()
        self._run: int | None = None
        self._run_is_known = False

    async def next_frames(self, watch: Watch) -> Sequence[Frame]:
        """The events that come next; none when there are no more for now."""
        if not watch.has_news:
            return []
        watch.has_news = False
        chunk = await self._next_chunk()
        watch.has_news |= bool(chunk)
        return chunk

    @property
    def position(self) -> str:
        """Up to where was read."""
        return str(self._position)

    def look_again_in(self) -> None:
        """Whatever happens is told."""

    async def _next_chunk(self) -> list[Frame]:
        if not self._run_is_known:
            self._run = await self._run_at(self._position)
            self._run_is_known = True
        if not self._read:
            after = self._position.version
            self._read.extend(await self._lifecycle.since(self.subject.id, after, limit=CHUNK))
        if shown := await self._next_live():
            return shown
        return self._next_lifecycle()

    async def _run_at(self, position: EventPosition) -> int | None:
        if self._live is None:
            return None
        return await self._lifecycle.run_under_way(self.subject.id, position.version)

    async def _next_live(self) -> list[Frame]:
        if self._live is None or self._run is None:
            return []
        after = EventPosition(self._run, self._position.live)
        events = await self._live.after(self.subject.id, after, limit=CHUNK)
        return [frame_of(event, self._pass_live(number)) for number, event in events]

    def _next_lifecycle(self) -> list[Frame]:
        """What was read, but nothing after the beginning of a run that may have live events."""
        chunk: list[Frame] = []
        while self._read:
            event = self._read.popleft()
            chunk.append(frame_of(event, self._pass(event)))
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
