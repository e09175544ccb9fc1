"""Listens to Redis channels for as long as it takes."""

import asyncio
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 0.5


async def listen(
    redis: Redis,
    channel: str,
    on_message: Callable[[str], None],
    *,
    on_gap: Callable[[], None] | None = None,
) -> None:
    """Call `on_message` for each message, until cancelled; reconnects by itself.

    Args:
        redis: a client with `decode_responses`.
        channel: what to subscribe to.
        on_message: must not block.
        on_gap: called after each (re)connection, when messages may have been missed.
    """
    while True:
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(channel)
                async for message in subscription.listen():
                    if message["type"] == "subscribe" and on_gap is not None:
                        on_gap()
                    elif message["type"] == "message":
                        on_message(message["data"])
        except (RedisError, OSError) as error:
            log.warning("channel_lost", channel=channel, error=repr(error))
            await asyncio.sleep(RECONNECT_SECONDS)
