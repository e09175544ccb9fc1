"""Every error answers as problem details with a stable code, and none tells too much."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from api.errors import MalformedJson, PayloadTooLarge, install_error_handlers
from wtb_async.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    InvalidTransition,
    NotFound,
    PermanentError,
    TransientError,
    VersionMismatch,
    Violation,
    WtbError,
)

ERRORS: dict[str, Exception] = {
    "missing": NotFound("workflow", "rag"),
    "stale": VersionMismatch("version 2 is not 3"),
    "impossible": InvalidTransition("a failed execution cannot become running"),
    "taken": AlreadyExists("workflow", "rag"),
    "conflicting": Conflict("not now"),
    "wrong": InvalidInput([Violation("a.0", "is bad"), Violation("b", "is worse")]),
    "away": TransientError("Ray does not answer"),
    "broken": PermanentError("the row is gone"),
    "ours": WtbError("something of ours"),
    "http": HTTPException(403, "not yours", headers={"X-Why": "because"}),
    "large": PayloadTooLarge(10),
    "malformed": MalformedJson("line 1"),
    "unexpected": ZeroDivisionError("the secret is 42"),
}


class Body(BaseModel):
    names: list[str]


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/raise/{name}")
    async def fail(name: str) -> None:
        raise ERRORS[name]

    @app.post("/validate/{number}")
    async def validate(number: int, body: Body) -> None: ...

    return app


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("missing", 404, "not_found"),
        ("stale", 412, "version_mismatch"),
        ("impossible", 409, "invalid_transition"),
        ("taken", 409, "already_exists"),
        ("conflicting", 409, "conflict"),
        ("wrong", 422, "invalid_input"),
        ("away", 503, "unavailable"),
        ("broken", 500, "permanent"),
        ("ours", 500, "error"),
        ("http", 403, "forbidden"),
        ("large", 413, "payload_too_large"),
        ("malformed", 422, "malformed_json"),
    ],
)
def test_every_error_has_its_status_and_code(
    client: TestClient, name: str, status: int, code: str
) -> None:
    answer = client.get(f"/raise/{name}")
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:wtb:problem:{code}"
    assert problem["title"]
    expected = ERRORS[name]
    detail = expected.detail if isinstance(expected, HTTPException) else str(expected)
    assert problem["detail"] == detail


def test_every_violation_is_listed_with_its_field(client: TestClient) -> None:
    assert client.get("/raise/wrong").json()["errors"] == [
        {"field": "a.0", "message": "is bad"},
        {"field": "b", "message": "is worse"},
    ]


def test_who_may_try_again_is_told_when(client: TestClient) -> None:
    assert client.get("/raise/away").headers["retry-after"] == "2"
    assert "retry-after" not in client.get("/raise/broken").headers


def test_the_headers_of_an_http_error_stay(client: TestClient) -> None:
    assert client.get("/raise/http").headers["x-why"] == "because"


def test_an_unexpected_error_is_logged_and_not_shown(client: TestClient) -> None:
    with capture_logs() as logged:
        answer = client.get("/raise/unexpected")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    [entry] = [entry for entry in logged if entry["event"] == "unexpected_error"]
    assert entry["path"] == "/raise/unexpected"
    assert entry["exc_info"] is ERRORS["unexpected"]


def test_a_body_of_the_wrong_shape_names_its_fields(client: TestClient) -> None:
    problem = client.post("/validate/1", json={"names": ["a", 1]}).json()
    assert (problem["status"], problem["code"]) == (422, "invalid_input")
    assert [error["field"] for error in problem["errors"]] == ["names.1"]
    assert problem["detail"].startswith("names.1: ")


def test_a_wrong_path_parameter_is_named(client: TestClient) -> None:
    problem = client.post("/validate/x", json={"names": []}).json()
    assert [error["field"] for error in problem["errors"]] == ["number"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("PUT", "/validate/1", 405, "method_not_allowed")],
)
def test_what_no_route_answers_is_a_problem_too(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_problem_is_described_as_it_is_answered(app: FastAPI, client: TestClient) -> None:
    answer = client.post("/validate/1", json={"names": [1]}).json()
    document = app.openapi()
    described = answer_schema(document, "/validate/{number}", "422")
    row = resolved(document, described["properties"]["errors"]["items"])
    assert answer.keys() <= described["properties"].keys()
    assert set(described["required"]) <= answer.keys()
    assert answer["errors"][0].keys() == row["properties"].keys()


def answer_schema(document: dict[str, Any], path: str, status: str) -> dict[str, Any]:
    content = document["paths"][path]["post"]["responses"][status]["content"]
    return resolved(document, content["application/problem+json"]["schema"])


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found
