"""Request bodies: bounded before they are parsed, strict when they are."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.errors import MalformedJson, PayloadTooLarge
from wtb_async.domain.storable_json import NestedTooDeeply, check_storable
from wtb_async.settings import ApiSettings


class StrictJsonRequest(Request):
    """A request whose body is read up to a limit, and parsed as strict JSON."""

    async def body(self) -> bytes:
        """The whole body. Raises PayloadTooLarge as soon as it is."""
        if not hasattr(self, "_body"):
            limit = self._limits().max_body_bytes
            if int(self.headers.get("content-length") or 0) > limit:
                raise PayloadTooLarge(limit)
            chunks: list[bytes] = []
            size = 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > limit:
                    raise PayloadTooLarge(limit)
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:  # noqa: ANN401 - a body is any JSON value until it is validated
        """The parsed body.

        Raises:
            MalformedJson: not UTF-8, NaN or Infinity, a lone surrogate, or nested beyond reason.
            InvalidInput: JSON that Postgres cannot hold: a NUL byte, a number out of range.
        """
        if not hasattr(self, "_json"):
            try:
                value = orjson.loads(await self.body())
            except orjson.JSONDecodeError as error:
                raise MalformedJson(str(error)) from error
            try:
                check_storable(value, self._limits().max_json_depth)
            except NestedTooDeeply as error:
                raise MalformedJson("it is nested too deeply") from error
            self._json = value
        return self._json

    @property
    def brings_json(self) -> bool:
        """Whether the body says that it is JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")

    def _limits(self) -> ApiSettings:
        limits: ApiSettings = self.app.state.settings.api
        return limits


class StrictJsonRoute(APIRoute):
    """A route whose requests are `StrictJsonRequest`s."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, on our kind of request."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            checked = StrictJsonRequest(request.scope, request.receive)
            check_parameters(checked)
            if checked.brings_json and await checked.body():
                # Here and not where FastAPI parses: that answers every error with the same words.
                await checked.json()
            return await handle(checked)

        return strict


def check_parameters(request: Request) -> None:
    """Raise InvalidInput for text in the path or the query that Postgres cannot hold."""
    for name, text in (*request.path_params.items(), *request.query_params.items()):
        check_storable(text, 1, name)
