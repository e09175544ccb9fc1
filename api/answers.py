"""Answers: frozen views as JSON."""

from typing import Any
from urllib.parse import quote

import orjson
from fastapi import Response


class JsonAnswer(Response):
    """A view, encoded directly: it has the shape already that the schema promises."""

    media_type = "application/json"

    def __init__(
        self, content: object, status_code: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(content, status_code, headers)

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - Starlette's signature
        """Encode dataclasses, UUIDs and times; asyncpg has a UUID class of its own."""
        return to_json(content)


def to_json(content: object) -> bytes:
    """Compact JSON; times are RFC 3339 in UTC."""
    return orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z)


def accepted(content: object, location: str) -> JsonAnswer:
    """202: recorded, and on its way."""
    return JsonAnswer(content, 202, {"Location": quote(location)})


def created(content: object, location: str) -> JsonAnswer:
    """201: it is there."""
    return JsonAnswer(content, 201, {"Location": quote(location)})
