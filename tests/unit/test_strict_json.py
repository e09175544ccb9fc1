"""Bodies are bounded before they are parsed, and strict JSON when they are."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from factories import new_settings
from fastapi import APIRouter, FastAPI
from httpx2 import Response
from pydantic import BaseModel, JsonValue
from starlette.testclient import TestClient

from api.errors import install_error_handlers
from api.strict_json import StrictJsonRoute
from wtb_async.settings import ApiSettings

MAX_BYTES = 1 << 20
MAX_DEPTH = 8

router = APIRouter(route_class=StrictJsonRoute)


class Body(BaseModel):
    value: JsonValue = None


@router.post("/echo")
async def echo(body: Body) -> Body:
    return body


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = FastAPI()
    app.state.settings = new_settings(
        api=ApiSettings(max_body_bytes=MAX_BYTES, max_json_depth=MAX_DEPTH)
    )
    install_error_handlers(app)
    app.include_router(router)
    with TestClient(app) as client:
        yield client


def post(
    client: TestClient, content: bytes | Iterator[bytes], kind: str = "application/json"
) -> Response:
    return client.post("/echo", content=content, headers={"Content-Type": kind})


def problem_of(answer: Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    return problem


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(2**63), 2**63 - 1, 1.5, 1e308, "", "é😀\u2028", [], {}, {"a": [{"b": 1}]}],
)
def test_json_comes_through_as_it_is(client: TestClient, value: object) -> None:
    answer = post(client, json.dumps({"value": value}).encode())
    assert answer.json() == {"value": value}


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/x+JSON"])
def test_every_kind_of_json_is_taken_and_checked(client: TestClient, kind: str) -> None:
    assert post(client, b'{"value": 1}', kind).status_code == 200
    problem_of(post(client, rb'{"value": "\u0000"}', kind), 422)


def test_a_body_that_says_that_it_is_too_large_is_refused(client: TestClient) -> None:
    body = json.dumps({"value": "x" * 12_000_000}).encode()
    problem = problem_of(post(client, body), 413)
    assert problem["detail"] == f"send at most {MAX_BYTES} bytes"
    assert problem["code"] == "payload_too_large"


def test_a_body_of_the_largest_size_is_taken(client: TestClient) -> None:
    frame = len(b'{"value":""}')
    body = b'{"value":"' + b"x" * (MAX_BYTES - frame) + b'"}'
    assert len(body) == MAX_BYTES
    assert post(client, body).status_code == 200
    problem_of(post(client, body + b" "), 413)


def test_a_body_that_does_not_say_its_size_is_refused_when_it_grows_too_large(
    client: TestClient,
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"value": "'
        for _ in range(12):
            yield b"x" * 1_000_000
        yield b'"}'

    problem_of(post(client, chunks()), 413)


def test_a_body_in_chunks_is_put_together(client: TestClient) -> None:
    assert post(client, iter([b'{"val', b'ue": ', b"1}"])).json() == {"value": 1}


def test_another_kind_of_body_is_bounded_as_well(client: TestClient) -> None:
    problem_of(post(client, b"x" * (MAX_BYTES + 1), "text/plain"), 413)
    problem_of(post(client, b"x", "text/plain"), 422)


@pytest.mark.parametrize(
    "text",
    [
        b'{"value": NaN}',
        b'{"value": Infinity}',
        b'{"value": -Infinity}',
        b'{"value": 1e999}',
        b'{"value": -1e999}',
        rb'{"value": "\ud800"}',
        rb'{"value": "\udc00x"}',
        rb'{"\ud800": 1}',
        rb'{"value": "a\u0000b"}',
        rb'{"value": ["\u0000"]}',
        rb'{"value": {"\u0000": 1}}',
        b'{"value": 9223372036854775808}',
    ],
)
def test_what_the_database_cannot_hold_is_refused(client: TestClient, text: bytes) -> None:
    problem_of(post(client, text), 422)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (rb'{"value": "\u0000"}', "value"),
        (rb'{"value": [1, {"a": "\u0000"}]}', "value.1.a"),
        (b'{"value": {"a": 9223372036854775808}}', "value.a"),
    ],
)
def test_the_place_of_a_bad_value_is_named(client: TestClient, text: bytes, field: str) -> None:
    problem = problem_of(post(client, text), 422)
    assert problem["code"] == "invalid_input"
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b'{"value": 1,}',
        b"{'value': 1}",
        b'{"value": 1} {}',
        b'{"value": "\xff"}',
        b'{"value": "\xed\xa0\x80"}',
        b'{"value": "\n"}',
        b'\xef\xbb\xbf{"value": 1}',
        '{"value": 1}'.encode("utf-16"),
        b"\x00",
    ],
)
def test_what_is_not_json_is_refused(client: TestClient, text: bytes) -> None:
    problem = problem_of(post(client, text), 422)
    assert problem["code"] == "malformed_json"
    assert "not valid JSON" in problem["detail"]


def nested(depth: int) -> bytes:
    """A body whose containers lie in one another, `depth` of them."""
    return b'{"value": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_nesting_is_bounded(client: TestClient) -> None:
    assert post(client, nested(MAX_DEPTH)).status_code == 200
    for depth in (MAX_DEPTH + 1, 1_000, 100_000):
        problem = problem_of(post(client, nested(depth)), 422)
        assert problem["code"] == "malformed_json"


def test_a_missing_body_is_named(client: TestClient) -> None:
    problem = problem_of(post(client, b""), 422)
    assert problem["code"] == "invalid_input"


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"text"'])
def test_json_of_another_shape_is_refused(client: TestClient, text: bytes) -> None:
    assert problem_of(post(client, text), 422)["code"] == "invalid_input"
