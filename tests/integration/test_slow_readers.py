"""Who reads too slowly is sent away, and goes on later without a gap and without a double."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import pytest
from arranging import API_KEY, PATIENCE_SECONDS
from event_readers import reading
from own_api import OwnApi, execution_with_a_long_history, own_api
from redis.asyncio import Redis
from starlette.types import Message
from websocket_readers import following
from websockets.exceptions import ConnectionClosed

from api.streams.execution_events import ExecutionEvents
from api.streams.hub import EventHub
from api.streams.sse import EventStream
from wtb_async.domain.event_position import EventPosition
from wtb_async.infrastructure.embedded import EmbeddedServices
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.events import EventQueries
from wtb_async.sdk.client import WTBClient

EVENTS = 1200
"""19 MB: more than the buffers of sockets on both sides."""


@pytest.fixture
async def impatient(
    database_url: str, redis: Redis, services: EmbeddedServices, tmp_path: Path
) -> AsyncIterator[OwnApi]:
    del redis
    async with own_api(database_url, services.redis_url, tmp_path / "api") as api:
        yield api


def narrow_socket(url: str) -> socket.socket:
    """A connection whose reader leaves little room."""
    address = urlsplit(url)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((address.hostname, address.port))
    narrow.setblocking(False)
    return narrow


async def stalled_sse(api: OwnApi, path: str) -> str:
    """Open a stream, read nothing until the server has had enough, then read to its end."""
    reader, writer = await asyncio.open_connection(sock=narrow_socket(api.url), limit=1024)
    request = f"GET /api/v1{path} HTTP/1.1\r\nHost: wtb\r\nAuthorization: Bearer {API_KEY}\r\n\r\n"
    writer.write(request.encode())
    await api.says("stream_closed")
    received = await asyncio.wait_for(reader.read(-1), PATIENCE_SECONDS)
    writer.close()
    return received.decode()


async def test_a_stalled_sse_reader_is_cut_off_and_goes_on_without_a_gap(
    impatient: OwnApi, database: Database
) -> None:
    path = f"/executions/{await execution_with_a_long_history(database, EVENTS)}/events"
    received = await stalled_sse(impatient, path)
    whole = received.rpartition("\n\n")[0]
    seen = [int(line[4:]) for line in whole.splitlines() if line.startswith("id: ")]
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) < EVENTS
    async with (
        impatient.called() as caller,
        reading(caller, path, **{"Last-Event-ID": str(seen[-1])}) as reader,
    ):
        rest = [int((await reader.next())[0]) for _ in range(EVENTS - len(seen))]
    assert seen + rest == list(range(1, EVENTS + 1))


async def test_a_stalled_websocket_is_closed_and_goes_on_without_a_gap(
    impatient: OwnApi, database: Database
) -> None:
    execution_id = str(await execution_with_a_long_history(database, EVENTS))
    seen: list[str | None] = []
    options = {"sock": narrow_socket(impatient.url), "max_queue": 1, "compression": None}
    async with following(impatient.url, **options) as follower:
        await follower.subscribe(execution_id=execution_id)
        await impatient.says("websocket_closed")
        with suppress(ConnectionClosed):
            while True:
                seen += [position for position, _ in await follower.events(1) if position]
    assert 0 < len(seen) < EVENTS
    async with following(impatient.url, max_queue=None) as follower:
        await follower.subscribe(execution_id=execution_id, since=seen[-1])
        seen += [position for position, _ in await follower.events(EVENTS - len(seen))]
    assert seen == [str(number) for number in range(1, EVENTS + 1)]


async def test_the_sdk_takes_a_stream_up_again_that_its_caller_was_too_slow_for(
    impatient: OwnApi, database: Database
) -> None:
    execution_id = await execution_with_a_long_history(database, EVENTS)
    seen: list[str] = []
    async with WTBClient(impatient.url, api_key=API_KEY) as client:
        async for event in client.executions.events(execution_id):
            if not seen:
                await impatient.says("stream_closed")
            seen.append(event.id)
            if len(seen) == EVENTS:
                break
    assert seen == [str(number) for number in range(1, EVENTS + 1)]


class Reader:
    """Takes some pieces, then one not at all, and then again whatever comes."""

    def __init__(self, pieces: int) -> None:
        self._left = pieces
        self.body = b""

    async def send(self, message: Message) -> None:
        self._left -= 1
        if self._left == 0:
            await asyncio.Event().wait()
        self.body += message.get("body", b"")

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        return {}


async def history_of(database: Database, execution_id: UUID) -> ExecutionEvents:
    events = EventQueries(database.engine)
    return ExecutionEvents(execution_id, EventPosition(0), lifecycle=events, live=None)


async def test_the_last_that_a_slow_reader_gets_says_where_to_go_on(database: Database) -> None:
    execution_id = await execution_with_a_long_history(database, 100)
    source = await history_of(database, execution_id)
    reader = Reader(pieces=5)
    response = EventStream(source, EventHub(), patience=0.05)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await response({"type": "http"}, reader.receive, reader.send)
    *events, last, _ = reader.body.decode().split("\n\n")
    event_type, data = last.splitlines()
    assert event_type == "event: StreamClosed"
    closed = orjson.loads(data.removeprefix("data: "))
    assert closed["execution_id"] == str(execution_id)
    assert closed["data"]["reason"] == "slow_reader"
    assert closed["data"]["position"] == events[-1].splitlines()[0].removeprefix("id: ")
