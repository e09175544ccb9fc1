"""Somebody who reads event streams of the API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import orjson
from arranging import PATIENCE_SECONDS
from served_api import Caller


class Reader:
    """Somebody who reads an event stream."""

    def __init__(self, source: httpx2.EventSource) -> None:
        self._messages = aiter(source)

    async def next(self) -> tuple[str, str, dict[str, Any]]:
        """Id, type and envelope of the next event."""
        message = await asyncio.wait_for(anext(self._messages), PATIENCE_SECONDS)
        return message.id, message.event, orjson.loads(message.data)

    async def types(self, count: int) -> list[tuple[str, str]]:
        """Id and type of each of the next events."""
        return [(await self.next())[:2] for _ in range(count)]


@asynccontextmanager
async def reading(caller: Caller, path: str, **headers: str) -> AsyncIterator[Reader]:
    """Open a stream below the API's prefix."""
    async with caller.http.sse(f"/api/v1{path}", headers=headers) as source:
        assert source.response.status_code == 200
        yield Reader(source)
