"""Who may call: nobody without a key."""

import secrets
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer <key>`")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="`X-API-Key: <key>`")

OPERATOR = "operator"
"""Whoever holds the server's own key."""


async def authenticate(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    header: Annotated[str | None, Depends(_header)],
) -> str:
    """The caller's name, for the record. Raises 401 unless a valid key is shown."""
    shown = bearer.credentials if bearer else header
    expected: str = request.app.state.settings.api_key.get_secret_value()
    if shown is None or not secrets.compare_digest(shown.encode(), expected.encode()):
        raise HTTPException(
            401,
            "show a valid key: `Authorization: Bearer <key>` or `X-API-Key: <key>`",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return OPERATOR


Caller = Annotated[str, Depends(authenticate)]
