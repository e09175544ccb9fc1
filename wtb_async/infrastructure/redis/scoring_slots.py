"""Slots for scorers: slow evaluators must not take every process that messages pass through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from redis.asyncio import Redis

SLOTS = "wtb:scoring:slots"
HOLD_SECONDS = 120
"""The slot of a scorer that died comes free after this time."""
WAIT_SECONDS = 10
"""So long nobody else comes back for a batch; the scorer itself does after a second."""

_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[3])
return 1
"""


class ScoringSlots:
    """So many scorers work at the same time, whichever processes they are in."""

    def __init__(self, redis: Redis, slots: int) -> None:
        self._redis = redis
        self._slots = slots
        self._take = redis.register_script(_TAKE)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[bool]:
        """Hold a slot for the block; False when none is free."""
        holder = uuid4().hex
        free = await self._take(keys=[SLOTS], args=[self._slots, HOLD_SECONDS, holder])
        try:
            yield bool(free)
        finally:
            await self._redis.zrem(SLOTS, holder)

    async def begin_to_wait(self, batch_id: UUID) -> bool:
        """Say that somebody will come back for the batch; False when somebody will already."""
        return bool(await self._redis.set(_waits(batch_id), 1, nx=True, ex=WAIT_SECONDS))

    async def end_to_wait(self, batch_id: UUID) -> None:
        """Say that the one who waited is back."""
        await self._redis.delete(_waits(batch_id))


def _waits(batch_id: UUID) -> str:
    return f"wtb:scoring:waits:{batch_id}"
