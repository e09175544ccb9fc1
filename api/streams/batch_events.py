"""The events of one batch test in order, and between them how far it has come."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from api.streams.following import CHUNK
from api.streams.frames import Frame, Subject, frame_of, passing_frame
from api.streams.hub import Watch
from wtb_async.application.batches.views import BatchCounts
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries
from wtb_async.infrastructure.postgres.queries.events import EventQueries

PROGRESS_SECONDS = 0.2


class BatchEvents:
    """Reads on from an event.

    Progress is counted before the batch's own events are shown, and when its executions have moved
    on, but for that alone a few times a second at most. The batch's own events never wait for it.
    """

    def __init__(
        self, batch_id: UUID, after: int, *, events: EventQueries, batches: BatchTestQueries
    ) -> None:
        self.subject = Subject("batch_test_id", batch_id)
        self._after = after
        self._events = events
        self._batches = batches
        self._shown: tuple[BatchCounts, int] | None = None
        self._counted_at = -math.inf
        self._owes_progress = False

    async def next_frames(self, watch: Watch) -> Sequence[Frame]:
        """The events that come next, after the progress if that is another one than before."""
        events = await self._next_events(watch) if watch.has_news else []
        self._owes_progress |= watch.has_progress
        watch.has_progress = False
        if events or (self._owes_progress and self._too_early() <= 0):
            return [*await self._progress(), *events]
        return events

    @property
    def position(self) -> str:
        """Up to where was read."""
        return str(self._after)

    def look_again_in(self) -> float | None:
        """When progress may be counted again, if it must be."""
        return max(self._too_early(), 0.0) if self._owes_progress else None

    async def _next_events(self, watch: Watch) -> list[Frame]:
        watch.has_news = False
        events = await self._events.since(self.subject.id, self._after, limit=CHUNK)
        if events:
            self._after = events[-1].id
            watch.has_news = len(events) == CHUNK or watch.has_news
        return [frame_of(event, event.id) for event in events]

    def _too_early(self) -> float:
        return self._counted_at + PROGRESS_SECONDS - time.monotonic()

    async def _progress(self) -> list[Frame]:
        self._owes_progress = False
        self._counted_at = time.monotonic()
        progress = await self._batches.progress(self.subject.id)
        if progress == self._shown:
            return []
        self._shown = progress
        counts, scored = progress
        data = {"counts": asdict(counts), "scored": scored}
        return [passing_frame("BatchProgress", self.subject, data)]
