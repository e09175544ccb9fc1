"""Wakes the live streams whose objects have news."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID


class EventHub:
    """Knows all streams of this process.

    A wake-up only says that something happened; streams read what from Postgres, so that nothing
    is lost when a wake-up is, and a reader can begin anywhere in the history.
    """

    def __init__(self) -> None:
        self._watchers: dict[UUID, set[asyncio.Event]] = {}

    @contextmanager
    def watch(self, aggregate_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set when the object has news; clear it before reading."""
        news = asyncio.Event()
        watchers = self._watchers.setdefault(aggregate_id, set())
        watchers.add(news)
        try:
            yield news
        finally:
            watchers.discard(news)
            if not watchers:
                self._watchers.pop(aggregate_id, None)

    def wake(self, aggregate_ids: Iterable[UUID]) -> None:
        """These objects have news."""
        for aggregate_id in aggregate_ids:
            for news in self._watchers.get(aggregate_id, ()):
                news.set()

    def wake_all(self) -> None:
        """Any object may have news."""
        for watchers in self._watchers.values():
            for news in watchers:
                news.set()
