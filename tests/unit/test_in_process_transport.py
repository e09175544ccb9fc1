"""Requests that go straight to an application in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from wtb_async.sdk.in_process_transport import InProcessTransport


class Served:
    """An application, and what became of its requests."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.ended = asyncio.Event()
        self.released = asyncio.Event()
        self.app.get("/ticks")(self.ticks)
        self.app.get("/slow")(self.slow)
        self.app.post("/upload")(self.upload)

    async def ticks(self, *, cut: bool = False) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield b"tick"
                if cut:
                    raise ConnectionAbortedError
                while True:
                    await self.released.wait()
                    yield b"tock"
            finally:
                self.ended.set()

        return StreamingResponse(pieces())

    async def slow(self) -> str:
        await self.released.wait()
        self.ended.set()
        return "done"

    async def upload(self, request: Request) -> list[int]:
        return [len(piece) async for piece in request.stream() if piece]


@asynccontextmanager
async def client(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    transport = InProcessTransport(served.app)
    async with httpx2.AsyncClient(base_url="http://here", transport=transport) as opened:
        yield opened


async def test_a_body_arrives_while_it_is_made() -> None:
    served = Served()
    async with client(served) as http, http.stream("GET", "/ticks") as response:
        pieces = response.aiter_bytes()
        assert await anext(pieces) == b"tick"
        served.released.set()
        assert await anext(pieces) == b"tock"


async def test_who_stops_reading_ends_what_is_made_for_him() -> None:
    served = Served()
    async with client(served) as http:
        async with http.stream("GET", "/ticks") as response:
            await anext(response.aiter_bytes())
        assert served.ended.is_set()


async def test_a_body_that_is_cut_off_is_an_error() -> None:
    served = Served()
    async with client(served) as http:
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.get("/ticks", params={"cut": True})


async def test_a_request_goes_on_when_nobody_waits_for_it() -> None:
    served = Served()
    async with client(served) as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.get("/slow")
        served.released.set()
        async with asyncio.timeout(5):
            await served.ended.wait()


async def test_closing_ends_the_requests_that_are_open() -> None:
    served = Served()
    async with client(served) as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.get("/slow")
    assert not served.ended.is_set()


async def test_a_file_is_sent_piece_by_piece() -> None:
    async def content() -> AsyncIterator[bytes]:
        for size in (3, 5):
            yield b"x" * size

    async with client(Served()) as http:
        assert (await http.post("/upload", content=content())).json() == [3, 5]


async def test_an_unknown_path_is_answered_as_by_a_server() -> None:
    async with client(Served()) as http:
        assert (await http.get("/nothing")).status_code == 404
