"""The Redis client, with time limits that find a half-open connection."""

import socket

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

_NOTICE_A_DEAD_PEER = {
    socket.TCP_KEEPIDLE: 10,
    socket.TCP_KEEPINTVL: 5,
    socket.TCP_KEEPCNT: 3,
}
"""Seconds of silence before the first probe, between probes, and how many may go unanswered.

Reads have no time limit of their own, because a subscription may be silent for hours.
"""


def open_redis(url: str) -> Redis:
    """A client with its own pool; connects when it is needed."""
    client: Redis = Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=None,
        socket_connect_timeout=5,
        socket_keepalive=True,
        socket_keepalive_options=_NOTICE_A_DEAD_PEER,
        health_check_interval=10,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), 2),
    )
    return client
