"""Maps what goes wrong to RFC 9457 problem details; the only place that knows HTTP statuses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from fastapi_problem.error import Problem
from fastapi_problem.handler import add_exception_handler, new_exception_handler
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException

from wtb_async.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    PermanentError,
    TransientError,
    VersionMismatch,
    WtbError,
)

log = structlog.get_logger(__name__)

_STATUS: tuple[tuple[type[WtbError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (VersionMismatch, HTTPStatus.PRECONDITION_FAILED),
    (Conflict, HTTPStatus.CONFLICT),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TransientError, HTTPStatus.SERVICE_UNAVAILABLE),
    (PermanentError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
_RETRY_AFTER_SECONDS = "2"


def install_error_handlers(app: FastAPI) -> None:
    """Let every error of the app answer as `application/problem+json` with a stable `code`."""
    handler = new_exception_handler(
        handlers={WtbError: _of_domain, PoolTimeout: _of_full_pool},
        http_exception_handler=_of_http,
        request_validation_handler=_of_validation,
    )
    handler.handlers[Exception] = _unexpected
    add_exception_handler(app, handler)
    app.add_exception_handler(WtbError, handler)
    app.add_exception_handler(PoolTimeout, handler)
    _describe_problems(app)


def refusal(caller: HTTPConnection, error: StarletteHTTPException) -> Response:
    """The problem that a WebSocket is refused with; Starlette answers no exceptions there."""
    answer: Response = caller.app.exception_handlers[StarletteHTTPException](caller, error)
    return answer


class ProblemBody(BaseModel):
    """What went wrong (RFC 9457), with a code to branch on."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class ViolationBody(BaseModel):
    """One thing that is wrong with one field."""

    field: str
    message: str


class InvalidInputBody(ProblemBody):
    """A request that cannot be accepted; `errors` is missing when no field is to blame."""

    errors: list[ViolationBody] = []


def described(problems: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of the problems of a route, given by their statuses."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": description, "content": content}
        for status, description in problems.items()
    }


def _describe_problems(app: FastAPI) -> None:
    """Describe problems in the OpenAPI document as they are answered here."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        schemas = document["components"]["schemas"]
        schemas["Problem"] = ProblemBody.model_json_schema()
        schemas["ValidationError"] = ViolationBody.model_json_schema()
        invalid = InvalidInputBody.model_json_schema()
        del invalid["$defs"]
        invalid["properties"]["errors"]["items"] = {"$ref": "#/components/schemas/ValidationError"}
        schemas["HTTPValidationError"] = invalid
        return document

    app.openapi = openapi  # type: ignore[method-assign]


class PayloadTooLarge(HTTPException):
    """The body is larger than this server takes."""

    code = "payload_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {limit} bytes")


class MalformedJson(HTTPException):
    """The body is not strict JSON."""

    code = "malformed_json"

    def __init__(self, problem: str) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body is not valid JSON: {problem}")


def _problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    **extra: Any,  # noqa: ANN401 - members of a problem have any JSON value
) -> Problem:
    return Problem(
        title=status.phrase,
        type_=f"urn:wtb:problem:{code}",
        detail=detail,
        status=status.value,
        headers=headers,
        code=code,
        **extra,
    )


def _of_domain(_handler: object, _request: Request, error: WtbError) -> Problem:
    status = next(
        (status for kind, status in _STATUS if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    if isinstance(error, InvalidInput):
        errors = [{"field": v.field, "message": v.message} for v in error.violations]
        return _problem(status, error.code, str(error), errors=errors)
    transient = isinstance(error, TransientError)
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if transient else None
    return _problem(status, error.code, str(error), headers=headers)


def _of_full_pool(handler: object, request: Request, _error: PoolTimeout) -> Problem:
    busy = TransientError("every database connection is in use; try again shortly")
    return _of_domain(handler, request, busy)


def _of_http(_handler: object, _request: Request, error: StarletteHTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    # Names of statuses differ between Python versions; codes that clients branch on must not.
    code = getattr(error, "code", status.name.lower())
    headers = dict(error.headers) if error.headers else None
    return _problem(status, code, str(error.detail), headers=headers)


def _of_validation(_handler: object, _request: Request, error: RequestValidationError) -> Problem:
    errors = [
        {"field": ".".join(str(part) for part in item["loc"][1:]), "message": item["msg"]}
        for item in error.errors()
    ]
    detail = "; ".join(f"{item['field'] or 'body'}: {item['message']}" for item in errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _problem(status, InvalidInput.code, detail, errors=errors)


def _unexpected(_handler: object, request: Request, error: Exception) -> Problem:
    log.error("unexpected_error", path=request.url.path, exc_info=error)
    detail = "something went wrong here; the server's log has the details"
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail)
