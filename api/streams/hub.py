"""Wakes the live streams whose objects have news."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from redis.asyncio import Redis

from wtb_async.infrastructure.redis.channels import listen
from wtb_async.infrastructure.redis.nudges import EVENTS_CHANNEL


class EventHub:
    """One Redis subscription for all streams of this process.

    A message only says that something happened; streams read what from Postgres, so that nothing
    is lost when a message is, and a reader can begin anywhere in the history.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._watchers: dict[UUID, set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Listen until cancelled."""
        await listen(self._redis, EVENTS_CHANNEL, self._on_news, on_gap=self._wake_all)

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

    def _on_news(self, message: str) -> None:
        if not self._watchers:
            return
        for text in message.split():
            for news in self._watchers.get(UUID(text), ()):
                news.set()

    def _wake_all(self) -> None:
        for watchers in self._watchers.values():
            for news in watchers:
                news.set()
