"""Server-Sent Events that go on after a broken connection."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

import httpx2

from wtb_async.sdk.errors import ApiError, ServerUnreachable
from wtb_async.sdk.models import Event
from wtb_async.sdk.problems import raise_for_problem

_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0
_GIVE_UP_AFTER = 20
# The server sends a comment every 15 s; a line that stays silent for longer is dead.
_TIMEOUT = httpx2.Timeout(30.0, read=45.0)
# Its caller was slow, and goes on where it was.
_CLOSED = "StreamClosed"
_PASSING = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


@dataclass(frozen=True)
class Connected:
    """The stream was opened, or opened again: what happened before may have been missed."""


Change = Connected | Event


class EventStream:
    """One event stream of one server."""

    def __init__(self, http: httpx2.AsyncClient, path: str) -> None:
        self._http = http
        self._path = path
        self._last_event_id: str | None = None
        self._fruitless = 0

    async def follow(self, after: str | None) -> AsyncGenerator[Change]:
        """Yield events from the one after `after` on, and `Connected` at every new connection.

        It ends only with an error: `ApiError` when the server refuses, `ServerUnreachable` when
        it stays away for more than a minute.
        """
        self._last_event_id = after
        while True:
            try:
                async with aclosing(self._connect_once()) as changes:
                    async for change in changes:
                        yield change
            except httpx2.TransportError as error:
                self._give_up_or_go_on(error)
            except ApiError as error:
                if error.status not in _PASSING:
                    raise
                self._give_up_or_go_on(error)
            await asyncio.sleep(self._next_delay())

    async def _connect_once(self) -> AsyncGenerator[Change]:
        headers = {"Last-Event-ID": self._last_event_id} if self._last_event_id else {}
        async with self._http.sse(self._path, headers=headers, timeout=_TIMEOUT) as source:
            if not source.response.is_success:
                await source.response.aread()
                raise_for_problem(source.response)
            yield Connected()
            async for message in source:
                self._last_event_id = message.id or self._last_event_id
                if message.data:
                    self._fruitless = 0
                if message.data and message.event != _CLOSED:
                    yield Event.model_validate_json(message.data)

    def _give_up_or_go_on(self, error: Exception) -> None:
        if self._fruitless >= _GIVE_UP_AFTER:
            raise ServerUnreachable(str(self._http.base_url), error) from error

    def _next_delay(self) -> float:
        delay = _FIRST_DELAY_SECONDS * 2.0**self._fruitless
        self._fruitless += 1
        return min(delay, _LONGEST_DELAY_SECONDS)
