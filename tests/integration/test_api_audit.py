"""The audit trail over REST: filters, pages that stay where they are, and all of it as lines."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from api_fixtures import ServedApi
from arranging import (
    API_KEY,
    change,
    claim,
    completed,
    eventually,
    register_runner,
    select,
    settle,
)
from served_api import Caller, fields_of, problem_of

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.runs.claims import RunOutcome
from wtb_async.domain.execution import RunError
from wtb_async.domain.run import RunStatus
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

Json = dict[str, Any]


async def entries(reader: Caller, path: str = "/audit/events", **params: Any) -> list[Json]:  # noqa: ANN401
    """The entries of one page."""
    query = {"limit": 200, **params}
    answer = await reader.http.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


def actions(found: list[Json]) -> list[str]:
    return [each["action"] for each in found]


async def claimed_run(served: Database) -> tuple[UUID, UUID]:
    """A new runner, and the run of the newest execution, which it has claimed."""
    runner = await register_runner(served.unit_of_work, f"runner {new_id()}")
    runs = await claim(served.unit_of_work, runner)
    return runner, runs[-1].id


async def test_an_execution_tells_who_did_what_to_it(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    execution = await caller.execute(letters.name)
    runner, run_id = await claimed_run(served)
    await settle(served.unit_of_work, runner, completed(run_id))
    found = await entries(caller, f"/executions/{execution['id']}/audit")
    assert actions(found) == ["ExecutionCompleted", "ExecutionStarted", "ExecutionCreated"]
    ended, started, created = found
    assert (ended["caller"], ended["status_before"], ended["status_after"]) == (
        *(f"runner:{runner}", "running"),
        "completed",
    )
    assert (started["severity"], started["command"], started["request_id"]) == ("info", None, None)
    assert created["caller"] == "operator"
    assert (created["target_type"], created["target_id"]) == ("execution", execution["id"])
    assert (created["command"], created["status_after"]) == ("run", "pending")
    assert created["request_id"]
    assert created["at"] <= started["at"] <= ended["at"]


@pytest.fixture
async def stopped(caller: Caller, letters: Workflow) -> tuple[str, str]:
    """The ids of a batch test of one execution that somebody stopped, and of the execution."""
    body = {"workflow": letters.name, "test_cases": [{"id": "1", "input": {}}]}
    batch = (await caller.post("/batch-tests", **body)).json()["id"]
    await caller.post(f"/batch-tests/{batch}/stop")
    [execution] = (await caller.get("/executions", batch=batch)).json()["items"]
    return batch, execution["id"]


async def test_entries_are_found_by_everything_that_is_offered(
    caller: Caller, stopped: tuple[str, str]
) -> None:
    batch, execution = stopped
    ended = ["BatchCancelled", "BatchStopRequested", "ExecutionCancelled", "BatchCreated"]
    assert sorted(actions(await entries(caller, batch=batch))) == sorted(ended)
    assert actions(await entries(caller, execution=execution)) == ["ExecutionCancelled"]
    of_command = await entries(caller, batch=batch, kind="stop")
    assert set(actions(of_command)) == {"BatchStopRequested", "ExecutionCancelled"}
    assert actions(await entries(caller, batch=batch, caller="relay")) == ["BatchCancelled"]
    assert actions(await entries(caller, batch=batch, action="BatchCreated")) == ["BatchCreated"]
    assert actions(await entries(caller, batch=batch, severity="info")) == ["BatchCreated"]
    assert len(await entries(caller, batch=batch, severity="warning")) == 3
    assert await entries(caller, batch=batch, severity="error") == []


async def test_entries_are_found_by_their_time(caller: Caller, stopped: tuple[str, str]) -> None:
    [entry] = await entries(caller, execution=stopped[1])
    at = entry["at"]
    assert await entries(caller, execution=stopped[1], since=at) == [entry]
    assert await entries(caller, execution=stopped[1], until=at) == []
    tomorrow = (utc_now() + timedelta(days=1)).isoformat()
    assert await entries(caller, since=tomorrow) == []
    ever = {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}
    assert await entries(caller, execution=stopped[1], **ever) == [entry]


async def test_text_in_a_filter_is_taken_literally(caller: Caller) -> None:
    for text in ("' OR 1=1 --", "%", "_", "operator%"):
        assert await entries(caller, caller=text) == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"severity": "fatal"}, "severity"),
        ({"kind": "shout"}, "kind"),
        ({"execution": "seven"}, "execution"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"sort": "caller"}, "sort"),
        ({"limit": 201}, "limit"),
        ({"cursor": "?"}, "cursor"),
        ({"format": "csv"}, "format"),
    ],
)
async def test_what_is_not_offered_is_refused_by_its_name(
    caller: Caller, params: Json, field: str
) -> None:
    assert fields_of(await caller.get("/audit/events", **params)) == [field]


async def test_the_trail_of_an_execution_that_is_not_there_is_not_there(caller: Caller) -> None:
    problem_of(await caller.get(f"/executions/{new_id()}/audit"), 404, "not_found")
    answer = await caller.get(f"/executions/{new_id()}/audit", format="jsonl")
    problem_of(answer, 404, "not_found")


async def test_pages_stay_where_they_are_while_entries_are_written(
    caller: Caller, letters: Workflow
) -> None:
    for _ in range(5):
        await caller.execute(letters.name)
    expected = [each["id"] for each in await entries(caller, limit=5)]
    seen: list[int] = []
    cursor: str | None = None
    while len(seen) < len(expected):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await caller.get("/audit/events", **params)).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        await caller.execute(letters.name)
    assert seen[:5] == expected


async def test_a_made_up_cursor_points_to_the_first_page(caller: Caller) -> None:
    answer = await caller.get("/audit/events", limit=1, cursor="_" * 22)
    assert len(answer.json()["items"]) == 1


@pytest.mark.parametrize("asked", ["header", "parameter"])
async def test_the_whole_selection_comes_as_lines(
    caller: Caller, stopped: tuple[str, str], asked: str
) -> None:
    params = {"batch": stopped[0]} | ({"format": "jsonl"} if asked == "parameter" else {})
    headers = {"Accept": "application/x-ndjson"} if asked == "header" else {}
    answer = await caller.http.get("/api/v1/audit/events", params=params, headers=headers)
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == await entries(caller, batch=stopped[0])


async def test_nothing_in_the_trail_is_a_secret(
    caller: Caller, letters: Workflow, api: ServedApi, served: Database
) -> None:
    secrets = [API_KEY, api.database_url, urlsplit(api.database_url).password or ""]
    told = " ".join(secrets)
    path = f"/executions/{(await caller.execute(letters.name, input={'do': told}))['id']}"
    runner, run_id = await claimed_run(served)
    await caller.post(f"{path}/pause", reason=told)
    error = RunError("ValueError", told)
    outcome = RunOutcome(run_id=run_id, status=RunStatus.FAILED, duration_ms=1.0, error=error)
    await settle(served.unit_of_work, runner, outcome)
    headers = {"X-Request-ID": told}
    await caller.http.post(f"/api/v1{path}/resume", headers=headers)
    trail = await caller.get(f"{path}/audit", format="jsonl")
    assert trail.text.count("\n") == 5
    everything = await caller.get("/audit/events", format="jsonl")
    assert not [secret for secret in secrets if secret in trail.text + everything.text]


async def test_a_long_selection_is_read_while_it_is_sent(caller: Caller, served: Database) -> None:
    """Its reader may be slow, and its length costs the server neither memory nor a connection."""
    count, target = 60_000, new_id()
    await change(
        served,
        """INSERT INTO wtb_audit_log (actor, action, aggregate, aggregate_id)
           SELECT 'test', 'ExecutionStarted', 'execution', :id FROM generate_series(1, :count)""",
        id=target,
        count=count,
    )

    async def nobody_asks_anything() -> bool:
        query = """SELECT count(*) AS n FROM pg_stat_activity
                   WHERE datname = current_database() AND state <> 'idle'
                     AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
        [row] = await select(served, query)
        return bool(row["n"] == 0)

    params = {"format": "jsonl", "execution": str(target)}
    async with caller.http.stream("GET", "/api/v1/audit/events", params=params) as answer:
        lines = answer.aiter_lines()
        ids = [json.loads(await anext(lines))["id"]]
        await eventually(nobody_asks_anything)
        gone = """DELETE FROM wtb_audit_log WHERE aggregate_id = :id AND id <= :last"""
        await change(served, gone, id=target, last=ids[0] - count + 10_000)
        ids += [json.loads(line)["id"] async for line in lines]
    assert len(ids) == count - 10_000
    assert ids == sorted(set(ids), reverse=True)
