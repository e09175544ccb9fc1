"""RFC 9457 problem details, read into an `ApiError`."""

import httpx2
from pydantic import BaseModel, Field, ValidationError

from wtb_async.domain.errors import Violation
from wtb_async.sdk.errors import ApiError


class _FieldProblem(BaseModel):
    field: str
    message: str


class _Problem(BaseModel):
    title: str = ""
    code: str = ""
    detail: str = ""
    errors: list[_FieldProblem] = Field(default_factory=list)


def raise_for_problem(response: httpx2.Response) -> None:
    """Raise `ApiError` unless the response, whose body has been read, is a success."""
    if response.is_success:
        return
    problem = _problem(response)
    raise ApiError(
        status=response.status_code,
        code=problem.code or f"http_{response.status_code}",
        title=problem.title or f"{response.status_code} {response.reason_phrase}".strip(),
        detail=problem.detail,
        errors=[Violation(each.field, each.message) for each in problem.errors],
    )


def _problem(response: httpx2.Response) -> _Problem:
    """Read the body; something between us and the server may have answered in its own words."""
    try:
        return _Problem.model_validate_json(response.content)
    except ValidationError:
        return _Problem()
