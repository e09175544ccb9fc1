"""What `/ready` says of each part, and what callers hear while the database is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from arranging import change, eventually, register_runner
from fastapi import FastAPI
from redis.asyncio import Redis
from served_api import Caller, problem_of
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.errors import install_error_handlers
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.nudges import RelaySignals

if TYPE_CHECKING:
    from api_fixtures import ServedApi

Parts = Callable[[], Awaitable[dict[str, Any]]]


@pytest.fixture
def parts(caller: Caller) -> Parts:
    """What `/ready` says, once its status agrees with its parts."""

    async def read() -> dict[str, Any]:
        answer = await caller.http.get("/ready")
        body = answer.json()
        is_ready = all(part["state"] == "up" for part in body["parts"].values())
        assert (answer.status_code, body["status"]) == (
            (200, "ready") if is_ready else (503, "not_ready")
        )
        found: dict[str, Any] = body["parts"]
        return found

    return read


@pytest.fixture
async def ray_head(api: "ServedApi") -> AsyncIterator[None]:
    """Something that takes connections where the API looks for Ray."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", api.ray_port)
    yield
    server.close()


@pytest.fixture
async def quiet(served: Database, redis: Redis) -> Database:
    """No runner lives and no event waits."""
    del redis
    await change(served, "UPDATE wtb_outbox SET sent_at = clock_timestamp()")
    await change(served, "UPDATE wtb_runners SET status = 'stopped'")
    return served


async def test_each_missing_part_is_named(parts: Parts, quiet: Database) -> None:
    del quiet
    assert await parts() == {
        "postgres": {"state": "up"},
        "relay": {"state": "up", "lag_ms": 0.0},
        "runners": {"state": "none", "count": 0},
        "redis": {"state": "up"},
        "worker": {"state": "none"},
        "ray": {"state": "down", "reason": "ConnectionRefusedError"},
    }


@pytest.mark.usefixtures("ray_head")
async def test_with_every_part_in_place_it_is_ready(
    parts: Parts, quiet: Database, redis: Redis
) -> None:
    await register_runner(quiet.unit_of_work)
    await RelaySignals(redis).seen()
    assert {part["state"] for part in (await parts()).values()} == {"up"}


async def test_a_relay_that_lags_shows(parts: Parts, quiet: Database, caller: Caller) -> None:
    del caller
    await change(
        quiet,
        "INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, created_at)"
        " VALUES ('workflow', gen_random_uuid(), 1, 'WorkflowChanged',"
        " clock_timestamp() - interval '10 minutes')",
    )
    relay = (await parts())["relay"]
    assert relay["state"] == "behind"
    assert relay["lag_ms"] >= 600_000


async def test_a_runner_whose_lease_ran_out_does_not_count(parts: Parts, quiet: Database) -> None:
    await register_runner(quiet.unit_of_work)
    await change(quiet, "UPDATE wtb_runners SET heartbeat_at = now() - interval '1 hour'")
    assert (await parts())["runners"] == {"state": "none", "count": 0}


async def test_a_full_connection_pool_asks_callers_to_come_again() -> None:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/")
    async def read() -> None:
        raise PoolTimeout

    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://test"
    ) as client:
        answer = await client.get("/")
    problem_of(answer, 503, "unavailable")
    assert answer.headers["retry-after"]


async def test_while_the_database_is_away_callers_are_asked_to_come_again(
    api: "ServedApi", caller: Caller, letters: Workflow, parts: Parts
) -> None:
    execution = await caller.execute(letters.name)
    await api.line.cut()
    try:
        for answer in (
            await caller.post("/executions", workflow=letters.name, input={}),
            await caller.get(f"/executions/{execution['id']}"),
            await caller.get("/executions"),
            await caller.get(f"/workflows/{letters.id}"),
            await caller.get("/batch-tests"),
            await caller.get("/audit/events", format="jsonl"),
            await caller.get(f"/executions/{execution['id']}/events"),
        ):
            problem_of(answer, 503, "unavailable")
            assert answer.headers["retry-after"]
        state = await parts()
        assert state["postgres"]["state"] == "down"
        assert state["runners"] == state["relay"] == {"state": "unknown"}
    finally:
        await api.line.mend()

    async def answers_again() -> bool:
        return (await caller.get(f"/executions/{execution['id']}")).status_code == 200

    await eventually(answers_again)
