"""How the parts are that a server stands on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from wtb_async.bootstrap.platform import Platform, ServerPlatform
from wtb_async.domain.errors import WtbError
from wtb_async.infrastructure.postgres.queries.health import HealthQueries
from wtb_async.infrastructure.redis.nudges import RELAY_SEEN

PROBE_SECONDS = 2.0
LAG_LIMIT_MS = 10_000.0

Part = dict[str, Any]
Probe = Callable[[], Awaitable[dict[str, Part]]]
"""Asks some parts, and answers the state of each by its name."""


async def probe_postgres(platform: Platform) -> dict[str, Part]:
    """The database, and what it knows of relay and runners."""
    lease = platform.settings.runner.lease_seconds
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            state = await HealthQueries(platform.database.engine).state(lease)
    except (WtbError, PoolTimeout, TimeoutError) as error:
        unknown = {"state": "unknown"}
        return {"postgres": _down(error), "relay": unknown, "runners": unknown}
    relay = {
        "state": "up" if state.relay_lag_ms < LAG_LIMIT_MS else "behind",
        "lag_ms": round(state.relay_lag_ms, 1),
    }
    runners = {"state": "up" if state.runners else "none", "count": state.runners}
    return {"postgres": {"state": "up"}, "relay": relay, "runners": runners}


async def probe_redis(platform: ServerPlatform) -> dict[str, Part]:
    """Redis, and whether a worker relays events over it."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            seen = await platform.redis.get(RELAY_SEEN)
    except (RedisError, OSError, TimeoutError) as error:
        return {"redis": _down(error), "worker": {"state": "unknown"}}
    return {"redis": {"state": "up"}, "worker": {"state": "up" if seen else "none"}}


async def probe_ray(platform: ServerPlatform) -> dict[str, Part]:
    """Only that its head takes connections: a driver here would die with Ray."""
    address = urlsplit(f"//{platform.settings.ray_address}")
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        return {"ray": _down(error)}
    return {"ray": {"state": "up"}}


def _down(error: Exception) -> Part:
    return {"state": "down", "reason": type(error).__name__}
