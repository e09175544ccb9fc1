"""A server on loopback that speaks the REST contract, for tests of those who call it."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import uvicorn
from fastapi import Body, FastAPI, Header, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

API_KEY = "wtb-test-key"
NOW = "2026-01-02T03:04:05Z"
PREFIX = "/api/v1"
CUT = None
"""In a stream: the connection breaks here, the first time."""

Json = dict[str, object]


@dataclass
class Served:
    """What the server knows; a test fills it and looks at it."""

    url: str = ""
    objects: dict[str, Json] = field(default_factory=dict)
    """Path below the prefix to what a GET answers."""
    queries: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    """Path to the query parameters of every GET."""
    lists: dict[str, list[Json]] = field(default_factory=dict)
    created: dict[str, Json] = field(default_factory=dict)
    """Path to what a POST or a PATCH answers."""
    posted: list[tuple[str, Json, str | None]] = field(default_factory=list)
    streams: dict[str, list[Json | None]] = field(default_factory=dict)
    resumed_from: list[str | None] = field(default_factory=list)
    before_event: Callable[[str], None] = lambda _: None
    """Called with an event's type before it is sent."""
    events_wait_for: str | None = None
    """Streams say nothing before somebody has read this path."""
    released: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        """Be as new, at the same address."""
        self.__init__(url=self.url)  # type: ignore[misc]


def event(number: int | str, kind: str, **data: object) -> Json:
    """An event envelope."""
    return {"id": str(number), "type": kind, "at": NOW, "data": data}


def settles_with(served: Served, kind: str, path: str, after: Json) -> None:
    """Let an object change at the moment its event is sent, not before."""

    def change(sent: str) -> None:
        if sent == kind:
            served.objects[path] = after

    served.before_event = change


def problem(status: int, code: str, detail: str, **more: object) -> Response:
    content = {"title": code, "code": code, "detail": detail, "status": status, **more}
    return JSONResponse(content, status, media_type="application/problem+json")


def application(served: Served) -> FastAPI:
    app = FastAPI()
    _add_probes(app)
    _add_reading(app, served)
    _add_creating(app, served)
    return app


def _add_probes(app: FastAPI) -> None:
    @app.get("/health")
    async def health() -> Json:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> Response:
        parts = {"postgres": {"state": "up"}, "ray": {"state": "down", "detail": "no head"}}
        return JSONResponse({"status": "not_ready", "parts": parts}, 503)


def _add_reading(app: FastAPI, served: Served) -> None:
    @app.get(PREFIX + "/{path:path}")
    async def read(
        path: str,
        request: Request,
        authorization: Annotated[str, Header()] = "",
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        if authorization != f"Bearer {API_KEY}":
            return problem(401, "unauthenticated", "the API key is not known")
        served.queries.setdefault(path, []).append(dict(request.query_params))
        if path in served.streams:
            served.resumed_from.append(last_event_id)
            stream = _stream(served, path, last_event_id)
            return StreamingResponse(stream, media_type="text/event-stream")
        if path == served.events_wait_for:
            served.released.set()
        if path in served.lists:
            return _page(served.lists[path], request)
        if path in served.objects:
            return JSONResponse(served.objects[path])
        return problem(404, "not_found", f"there is no {path}")


def _add_creating(app: FastAPI, served: Served) -> None:
    @app.api_route(PREFIX + "/{path:path}", methods=["POST", "PATCH"])
    async def create(
        path: str,
        body: Annotated[Json, Body()],
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> Response:
        served.posted.append((path, body, idempotency_key))
        if path in served.created:
            return JSONResponse(served.created[path], 202)
        errors = [{"field": "variants.retriever", "message": "no variant 'nope'"}]
        return problem(422, "invalid_input", "it cannot be accepted", errors=errors)


def _page(items: list[Json], request: Request) -> Response:
    start = int(request.query_params.get("cursor") or 0)
    end = start + int(request.query_params["limit"])
    cursor = str(end) if end < len(items) else None
    return JSONResponse({"items": items[start:end], "next_cursor": cursor})


async def _stream(served: Served, path: str, after: str | None) -> AsyncIterator[str]:
    yield ": open\n\n"
    if served.events_wait_for:
        await asyncio.to_thread(served.released.wait, 10)
    entries = served.streams[path]
    for entry in list(entries):
        if entry is CUT:
            entries.remove(CUT)
            raise ConnectionAbortedError
        if after is None or int(str(entry["id"])) > int(after):
            served.before_event(str(entry["type"]))
            yield f"id: {entry['id']}\nevent: {entry['type']}\ndata: {json.dumps(entry)}\n\n"
    await asyncio.sleep(3600)


@contextmanager
def serving() -> Iterator[Served]:
    """Serve on a free port, in a thread, until the block ends."""
    served = Served()
    config = uvicorn.Config(
        application(served), port=0, log_level="critical", timeout_graceful_shutdown=0
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        served.url = f"http://127.0.0.1:{port}"
        yield served
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


@pytest.fixture(scope="session")
def stand_in_server() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def stand_in(stand_in_server: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The server, as new, and the one that the command line talks to."""
    stand_in_server.forget()
    monkeypatch.setenv("WTB_URL", stand_in_server.url)
    monkeypatch.setenv("WTB_API_KEY", API_KEY)
    return stand_in_server
