"""The Redis client, with time limits that find a half-open connection."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff


def open_redis(url: str) -> Redis:
    """A client with its own pool; connects when it is needed."""
    client: Redis = Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=None,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=10,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), 2),
    )
    return client
