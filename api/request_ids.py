"""Every request has an id: in its answer, in the logs, and with the commands that it brings."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from wtb_async.application.commands import in_request
from wtb_async.application.ids import new_id

HEADER = "X-Request-ID"

_SANE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class RequestIds:
    """Takes the id that a caller gives, where it is one, and makes one where it is none."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, under its id."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        request_id = _id_of(Headers(scope=scope))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with in_request(request_id), bound_contextvars(request_id=request_id):
            await self._application(scope, receive, send_with_id)


def _id_of(headers: Headers) -> str:
    given = headers.get(HEADER, "")
    return given if _SANE.fullmatch(given) else str(new_id())
