"""Who may call: nobody without a key."""

import secrets
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from api.strict_json import StrictJsonRoute

_BEARER = HTTPBearer(auto_error=False, description="`Authorization: Bearer <key>`")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="`X-API-Key: <key>`")

OPERATOR = "operator"
"""Whoever holds the server's own key."""


def check_key(caller: HTTPConnection) -> None:
    """Raise 401 unless the caller, of a route or a WebSocket, shows a valid key."""
    scheme, shown = get_authorization_scheme_param(caller.headers.get("Authorization"))
    if scheme.lower() != "bearer":
        shown = caller.headers.get("X-API-Key", "")
    expected: str = caller.app.state.settings.api_key.get_secret_value()
    if not secrets.compare_digest(shown.encode(), expected.encode()):
        raise HTTPException(
            401,
            "show a valid key: `Authorization: Bearer <key>` or `X-API-Key: <key>`",
            headers={"WWW-Authenticate": "Bearer"},
        )


async def authenticate(
    request: Request,
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    _header: Annotated[str | None, Depends(_HEADER)],
) -> str:
    """The caller's name, for the record. Raises 401 unless a valid key is shown.

    The two schemes are here for the description of the API.
    """
    check_key(request)
    return OPERATOR


class KeyedRoute(StrictJsonRoute):
    """A route that looks at the key before it reads a byte of the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The strict handler, for callers with a key."""
        handle = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            check_key(request)
            return await handle(request)

        return keyed


Caller = Annotated[str, Depends(authenticate)]
