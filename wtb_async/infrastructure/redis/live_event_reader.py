"""Reads the live events that runners left in Redis."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from wtb_async.application.views import LiveEventView
from wtb_async.domain.event_position import EventPosition
from wtb_async.infrastructure.redis.live_events import live_events_key

log = structlog.get_logger(__name__)

READ_SECONDS = 1.0
READS_AT_ONCE = 8


class LiveEventReader:
    """Live events for all readers of this process, over a few connections.

    They are a view of what happens, and nothing depends on them: when Redis is away there are none.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._places = asyncio.Semaphore(READS_AT_ONCE)

    async def after(
        self, execution_id: UUID, position: EventPosition, *, limit: int
    ) -> list[tuple[int, LiveEventView]]:
        """The live events that follow one of a run, each with its number, and of no other run.

        Args:
            execution_id: whose.
            position: the version that began the run, and how many of its events were seen.
            limit: how many at most.
        """
        first = str(EventPosition(position.version, position.live + 1))
        key = live_events_key(execution_id)
        try:
            async with self._places, asyncio.timeout(READ_SECONDS):
                entries: Any = await self._redis.xrange(key, first, position.version, count=limit)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("live_events_unreadable", error=repr(error))
            return []
        return [_numbered(execution_id, entry_id, fields) for entry_id, fields in entries]


def _numbered(
    execution_id: UUID, entry_id: str, fields: dict[str, str]
) -> tuple[int, LiveEventView]:
    event = LiveEventView(
        id=entry_id,
        type=fields["type"],
        at=datetime.fromisoformat(fields["at"]),
        execution_id=execution_id,
        data=orjson.loads(fields["data"]),
    )
    return EventPosition.parse(entry_id).live, event
