"""HTTP to one WTB server: typed answers, typed errors, pages."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Collection,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx2
from pydantic import TypeAdapter, ValidationError

from wtb_async.domain.json import JsonValue
from wtb_async.sdk.errors import ServerUnreachable, UnexpectedAnswer
from wtb_async.sdk.event_stream import Change, EventStream
from wtb_async.sdk.models import Page
from wtb_async.sdk.problems import raise_for_problem

Shape = TypeVar("Shape")
Id = UUID | str
"""An object's id, or its name where it has one."""

Parameters = Mapping[str, Id | int | Sequence[Id] | None]

_PREFIX = "/api/v1"
_CONNECT_RETRIES = 3
_TIMEOUT_SECONDS = 60.0
_FILE_TIMEOUT = httpx2.Timeout(_TIMEOUT_SECONDS, read=600.0)


def path_of(*parts: Id) -> str:
    """Build the path of a resource; whatever a name contains stays in its segment."""
    return "/".join([_PREFIX, *(quote(str(part), safe="") for part in parts)])


class Connection:
    """Speaks JSON over HTTP with a bearer key."""

    def __init__(
        self, url: str, api_key: str, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        """Speak to a server at a URL, over the network unless another transport is given."""
        self._url = url.rstrip("/")
        # A request that never reached the server may be sent again, whatever its method.
        self._http = httpx2.AsyncClient(
            base_url=self._url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport or httpx2.AsyncHTTPTransport(retries=_CONNECT_RETRIES),
        )

    async def close(self) -> None:
        """Close what is open; streams end."""
        await self._http.aclose()

    async def get(
        self,
        shape: type[Shape],
        path: str,
        parameters: Parameters | None = None,
        *,
        accept: Collection[int] = (),
    ) -> Shape:
        """Read one object; statuses in `accept` are answers too, not errors."""
        request = self._http.build_request("GET", path, params=_given(parameters or {}))
        return await self._answer(shape, request, accept)

    async def post(
        self,
        shape: type[Shape],
        path: str,
        body: Mapping[str, JsonValue],
        *,
        idempotency_key: str | None = None,
    ) -> Shape:
        """Create one object; sending it again with the same key makes no second one."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        request = self._http.build_request("POST", path, json=body, headers=headers)
        return await self._answer(shape, request)

    async def send(
        self,
        shape: type[Shape],
        method: str,
        path: str,
        body: Mapping[str, JsonValue] | None = None,
    ) -> Shape:
        """Change one object."""
        return await self._answer(shape, self._http.build_request(method, path, json=body))

    async def delete(self, path: str) -> None:
        """Remove one object."""
        raise_for_problem(await self._send(self._http.build_request("DELETE", path)))

    async def upload(
        self,
        shape: type[Shape],
        path: str,
        content: bytes | AsyncIterable[bytes],
        media_type: str,
        parameters: Parameters,
    ) -> Shape:
        """Send a file, and wait for as long as the server needs to take it in."""
        request = self._http.build_request(
            "POST",
            path,
            params=_given(parameters),
            content=content,
            headers={"Content-Type": media_type},
            timeout=_FILE_TIMEOUT,
        )
        return await self._answer(shape, request)

    async def download(self, path: str, parameters: Parameters) -> AsyncIterator[bytes]:
        """Read a file, piece by piece."""
        request = self._http.build_request(
            "GET", path, params=_given(parameters), timeout=_FILE_TIMEOUT
        )
        response = await self._send(request, stream=True)
        async with aclosing(response):
            if not response.is_success:
                await response.aread()
                raise_for_problem(response)
            try:
                async for piece in response.aiter_bytes():
                    yield piece
            except httpx2.TransportError as error:
                raise ServerUnreachable(self._url, error or type(error).__name__) from error

    async def pages(
        self, shape: type[Shape], path: str, parameters: Parameters, *, page_size: int
    ) -> AsyncIterator[Shape]:
        """Walk a list to its end, reading the next page when it is needed."""
        cursor: str | None = None
        while True:
            wanted = {**parameters, "limit": page_size, "cursor": cursor}
            page = await self.get(Page[shape], path, wanted)  # type: ignore[valid-type]
            for item in page.items:
                yield item
            cursor = page.next_cursor
            if cursor is None:
                return

    def changes(self, path: str, *, after: str | None = None) -> AsyncGenerator[Change]:
        """Follow an event stream, see `EventStream`."""
        return EventStream(self._http, path).follow(after)

    async def _answer(
        self, shape: type[Shape], request: httpx2.Request, accept: Collection[int] = ()
    ) -> Shape:
        response = await self._send(request)
        if response.status_code not in accept:
            raise_for_problem(response)
        try:
            return TypeAdapter(shape).validate_json(response.content)
        except ValidationError as error:
            raise UnexpectedAnswer(str(request.url)) from error

    async def _send(self, request: httpx2.Request, *, stream: bool = False) -> httpx2.Response:
        try:
            return await self._http.send(request, stream=stream)
        except httpx2.TransportError as error:
            raise ServerUnreachable(self._url, error or type(error).__name__) from error


def _given(parameters: Parameters) -> dict[str, list[str]]:
    return {key: _texts(value) for key, value in parameters.items() if value is not None}


def _texts(value: Id | int | Sequence[Id]) -> list[str]:
    if isinstance(value, (str, UUID, int)):
        return [str(value)]
    return [str(each) for each in value]
