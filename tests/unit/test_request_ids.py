"""Every request has an id, which its caller may choose, in its answer and in the logs."""

from uuid import UUID

import pytest
from factories import new_settings
from starlette.testclient import TestClient
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from api.app import create_app
from wtb_async.application.commands import new_command
from wtb_async.application.ids import new_id
from wtb_async.domain.command import CommandKind

HEADER = "X-Request-ID"


@pytest.fixture
def client() -> TestClient:
    app = create_app(new_settings())

    @app.get("/command")
    async def command() -> str | None:
        return new_command(CommandKind.RUN, new_id(), "test", {}).request_id

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(params=["/health", "/broken", "/nowhere", "/api/v1/executions"])
def path(request: pytest.FixtureRequest) -> str:
    """Routes that answer 200, 500, 404 and 401."""
    return str(request.param)


@pytest.mark.parametrize("given", ["a", "7f3c:2/x", "0" * 128, "01a1fd44-4e99-75d5-8d52-173c0ac"])
def test_the_caller_s_id_comes_back(client: TestClient, path: str, given: str) -> None:
    with capture_logs():
        assert client.get(path, headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize("given", [b"", b"0" * 129, b"two words", b"<b>", "é".encode(), b"a\x7f"])
def test_what_is_no_id_is_replaced_by_one(client: TestClient, given: bytes) -> None:
    answer = client.get("/health", headers={HEADER.encode(): given})
    assert UUID(answer.headers[HEADER]).version == 7


def test_a_command_knows_the_request_that_brought_it(client: TestClient) -> None:
    assert client.get("/command", headers={HEADER: "mine"}).json() == "mine"
    assert new_command(CommandKind.RUN, new_id(), "test", {}).request_id is None


def test_logs_name_the_request_even_when_nobody_expected_what_happened(client: TestClient) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        client.get("/broken", headers={HEADER: "mine"})
    assert [(each["event"], each["request_id"]) for each in logs] == [("unexpected_error", "mine")]
    assert get_contextvars() == {}
