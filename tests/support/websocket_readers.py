"""Somebody who follows executions and batch tests over one WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from arranging import API_KEY, PATIENCE_SECONDS
from websockets.asyncio.client import ClientConnection, connect

KEY = {"Authorization": f"Bearer {API_KEY}"}
Json = dict[str, Any]


def websocket_url(url: str) -> str:
    """Where a server's WebSocket is."""
    return f"{url.replace('http', 'ws', 1)}/api/v1/ws"


class Follower:
    """Says and hears JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:  # noqa: ANN401 - any JSON value
        await self.connection.send(orjson.dumps(message).decode())

    async def hear(self) -> Json:
        text = await asyncio.wait_for(self.connection.recv(), PATIENCE_SECONDS)
        heard: Json = orjson.loads(text)
        return heard

    async def ask(self, **message: Any) -> Json:  # noqa: ANN401 - any JSON value
        """What the server answers first."""
        await self.say(**message)
        return await self.hear()

    async def subscribe(self, **subject: Any) -> None:  # noqa: ANN401 - any JSON value
        heard = await self.ask(subscribe=subject)
        assert heard["subscribed"].items() >= subject.items(), heard

    async def events(self, count: int) -> list[tuple[str | None, Json]]:
        """Position and envelope of the next events."""
        heard = [await self.hear() for _ in range(count)]
        return [(each.get("position"), each["event"]) for each in heard]

    async def types(self, count: int) -> list[tuple[str | None, str]]:
        """Position and type of each of the next events."""
        return [(position, event["type"]) for position, event in await self.events(count)]


@asynccontextmanager
async def following(url: str, **options: Any) -> AsyncIterator[Follower]:  # noqa: ANN401
    """Open a WebSocket to a server at an address."""
    async with connect(websocket_url(url), additional_headers=KEY, **options) as connection:
        yield Follower(connection)
