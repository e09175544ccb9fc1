"""HTTP without a network: requests go straight to an application in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx2

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

_WAITING_PIECES = 16
"""So much of a body may wait for its reader; then the application waits."""


class InProcessTransport(httpx2.AsyncBaseTransport):
    """Calls an ASGI application, and hands its answer on piece by piece while it is made.

    As with a real server a request goes on when its caller has stopped waiting for it.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._requests: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; answers as soon as the head of the response is there."""
        exchange = _Exchange(request)
        task = asyncio.create_task(exchange.go(self._application))
        self._requests.add(task)
        task.add_done_callback(self._on_done)
        try:
            status, headers = await exchange.head
        except asyncio.CancelledError:
            exchange.is_over.set()
            raise
        return httpx2.Response(status, headers=headers, stream=_Body(exchange, task))

    async def aclose(self) -> None:
        """End the requests that are still being answered."""
        for task in self._requests:
            task.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._requests.discard(task)
        if not task.cancelled():
            task.exception()  # The application has logged it, and the caller has heard of it.


class _Exchange:
    """One request and its response, as ASGI's two callables."""

    def __init__(self, request: httpx2.Request) -> None:
        self.head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]]
        self.head = asyncio.get_running_loop().create_future()
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING_PIECES)
        self.is_complete = False
        self.is_over = asyncio.Event()
        """The application has ended, or nobody reads on."""
        self._request = request
        self._body: AsyncIterator[bytes] | None = None
        if isinstance(request.stream, httpx2.AsyncByteStream):
            self._body = aiter(request.stream)

    async def go(self, application: Application) -> None:
        """Have the request answered."""
        try:
            await application(_scope(self._request), self._receive, self._send)
        finally:
            if not self.head.done():
                self.head.set_exception(self.broken())
            if not (self.is_complete or self.is_over.is_set()):
                await self.pieces.put(None)
            self.is_over.set()

    def broken(self) -> httpx2.TransportError:
        """What the caller gets where the application ended too early."""
        return httpx2.RemoteProtocolError("the request was not answered", request=self._request)

    async def _receive(self) -> Message:
        if self._body is None:
            await self.is_over.wait()
            return {"type": "http.disconnect"}
        try:
            return {"type": "http.request", "body": await anext(self._body), "more_body": True}
        except StopAsyncIteration:
            self._body = None
            return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if self.is_over.is_set():
            # An endless body comes to hear of its end only when others have a turn.
            await asyncio.sleep(0)
            return
        if message["type"] == "http.response.start":
            self.head.set_result((message["status"], list(message.get("headers", []))))
            return
        self.is_complete = not message.get("more_body", False)
        if piece := message.get("body", b""):
            await self.pieces.put(piece)
        if self.is_complete:
            await self.pieces.put(None)


class _Body(httpx2.AsyncByteStream):
    """A response's body on its way."""

    def __init__(self, exchange: _Exchange, task: asyncio.Task[None]) -> None:
        self._exchange = exchange
        self._task = task

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._exchange.pieces.get()) is not None:
            yield piece
        if not self._exchange.is_complete:
            raise self._exchange.broken()

    async def aclose(self) -> None:
        """Let the application know that nobody reads on, and wait until it has ended."""
        self._exchange.is_over.set()
        while not self._exchange.pieces.empty():
            self._exchange.pieces.get_nowait()
        await asyncio.wait([self._task])


def _scope(request: httpx2.Request) -> Message:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": None,
        "root_path": "",
    }
