"""Wakes the live streams whose objects have news."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID


class Watch:
    """What a stream has to look at; at first that is everything.

    Attributes:
        has_news: the history may have grown; take it back before reading.
        has_progress: executions of the batch may have moved on; likewise.
    """

    def __init__(self) -> None:
        self.has_news = True
        self.has_progress = True
        self._stirred = asyncio.Event()

    def tell_news(self) -> None:
        """The history has grown."""
        self.has_news = True
        self._stirred.set()

    def tell_progress(self) -> None:
        """Executions of the batch have moved on."""
        self.has_progress = True
        self._stirred.set()

    async def stirs(self, seconds: float | None) -> bool:
        """Wait until something was told since the last time, but not longer; tells whether."""
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            return False
        self._stirred.clear()
        return True


class EventHub:
    """Knows all streams of this process.

    A wake-up only says that something happened; streams read what from Postgres, so that nothing
    is lost when a wake-up is, and a reader can begin anywhere in the history.
    """

    def __init__(self) -> None:
        self._watches: dict[UUID, set[Watch]] = {}

    @contextmanager
    def watch(self, aggregate_id: UUID) -> Iterator[Watch]:
        """Be told of an object until the end of the block."""
        watch = Watch()
        watches = self._watches.setdefault(aggregate_id, set())
        watches.add(watch)
        try:
            yield watch
        finally:
            watches.discard(watch)
            if not watches:
                self._watches.pop(aggregate_id, None)

    def news_of(self, aggregate_ids: Iterable[UUID]) -> None:
        """The histories of these objects have grown."""
        for aggregate_id in aggregate_ids:
            for watch in self._watches.get(aggregate_id, ()):
                watch.tell_news()

    def progress_of(self, batch_ids: Iterable[UUID]) -> None:
        """Executions of these batch tests have moved on."""
        for batch_id in batch_ids:
            for watch in self._watches.get(batch_id, ()):
                watch.tell_progress()

    def wake_all(self) -> None:
        """Anything may have happened to any object."""
        for watches in self._watches.values():
            for watch in watches:
                watch.tell_news()
                watch.tell_progress()
