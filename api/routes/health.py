"""Health and readiness."""

import asyncio

from fastapi import APIRouter, Depends

from api.answers import JsonAnswer
from api.dependencies import ProbesDep
from api.security import authenticate

router = APIRouter(tags=["health"])


@router.get("/health", operation_id="get_health")
async def health() -> dict[str, str]:
    """That this process lives. The only route that asks for no key."""
    return {"status": "ok"}


@router.get("/ready", operation_id="get_ready", dependencies=[Depends(authenticate)])
async def ready(probes: ProbesDep) -> JsonAnswer:
    """Whether work that is accepted now will be done: each part by name, 503 if one is missing."""
    groups = await asyncio.gather(*(probe() for probe in probes))
    parts = {name: part for group in groups for name, part in group.items()}
    is_ready = all(part["state"] == "up" for part in parts.values())
    body = {"status": "ready" if is_ready else "not_ready", "parts": parts}
    return JsonAnswer(body, 200 if is_ready else 503)
