"""Health and readiness."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from redis.exceptions import RedisError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.answers import JsonAnswer
from api.dependencies import PlatformDep
from api.security import authenticate
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import WtbError
from wtb_async.infrastructure.postgres.queries.health import HealthQueries
from wtb_async.infrastructure.redis.nudges import RELAY_SEEN

router = APIRouter(tags=["health"])

PROBE_SECONDS = 2.0
LAG_LIMIT_MS = 10_000.0
Part = dict[str, Any]


@router.get("/health", operation_id="get_health")
async def health() -> dict[str, str]:
    """That this process lives. The only route that asks for no key."""
    return {"status": "ok"}


@router.get("/ready", operation_id="get_ready", dependencies=[Depends(authenticate)])
async def ready(platform: PlatformDep) -> JsonAnswer:
    """Whether work that is accepted now will be done: each part by name, 503 if one is missing."""
    groups = await asyncio.gather(_postgres(platform), _redis(platform), _ray(platform))
    parts = {name: part for group in groups for name, part in group.items()}
    is_ready = all(part["state"] == "up" for part in parts.values())
    body = {"status": "ready" if is_ready else "not_ready", "parts": parts}
    return JsonAnswer(body, 200 if is_ready else 503)


async def _postgres(platform: Platform) -> dict[str, Part]:
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


async def _redis(platform: Platform) -> dict[str, Part]:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            seen = await platform.redis.get(RELAY_SEEN)
    except (RedisError, OSError, TimeoutError) as error:
        return {"redis": _down(error), "worker": {"state": "unknown"}}
    return {"redis": {"state": "up"}, "worker": {"state": "up" if seen else "none"}}


async def _ray(platform: Platform) -> dict[str, Part]:
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
