"""Every command on a whole batch test in every status, over REST."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest
from arranging import change, history, select
from served_api import Caller, fields_of, problem_of

from wtb_async.application.ids import new_id
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

CASES = [{"id": f"case {n}", "input": {"do": ""}} for n in range(3)]

COMMANDS = ("pause", "resume", "stop", "retry-failed")
STATUSES = ("pending", "running", "paused", "completed", "failed", "cancelled")

OUTCOMES = {
    ("pause", "pending"): ("paused", "BatchPauseRequested"),
    ("pause", "running"): ("paused", "BatchPauseRequested"),
    ("resume", "paused"): ("running", "BatchResumed"),
    ("resume", "failed"): ("running", "BatchResumed"),
    ("resume", "cancelled"): ("running", "BatchResumed"),
    ("stop", "pending"): ("cancelled", "BatchStopRequested"),
    ("stop", "running"): ("cancelled", "BatchStopRequested"),
    ("stop", "paused"): ("cancelled", "BatchStopRequested"),
    ("retry-failed", "running"): ("running", "BatchRetried"),
    ("retry-failed", "completed"): ("running", "BatchRetried"),
    ("retry-failed", "failed"): ("running", "BatchRetried"),
    ("retry-failed", "cancelled"): ("running", "BatchRetried"),
}
"""Command and status: the status after, where nothing runs, and the type of the event."""

_STANDING = {"completed": "failed", "failed": "cancelled", "cancelled": "cancelled"}
"""How the executions of a batch stand that has ended; the others' are pending."""

_TABLES = ("wtb_commands", "wtb_outbox", "wtb_audit_log", "wtb_runs", "wtb_executions")


@pytest.fixture
async def path(caller: Caller, letters: Workflow) -> str:
    """A batch test that was accepted."""
    answer = await caller.post("/batch-tests", workflow=letters.name, test_cases=CASES)
    assert answer.status_code == 202, answer.text
    return f"/batch-tests/{answer.json()['id']}"


def id_of(path: str) -> UUID:
    return UUID(path.rpartition("/")[2])


async def standing(served: Database, path: str, status: str) -> None:
    """Move a batch to a status, with executions as they may stand then."""
    await change(
        served,
        """WITH members AS (
               UPDATE wtb_executions SET status = CAST(:execution AS text)
               WHERE batch_test_id = :id AND :execution <> 'pending' RETURNING run_id
           ), runs AS (
               UPDATE wtb_runs SET status = CAST(:execution AS text)
               WHERE id IN (SELECT run_id FROM members)
           )
           UPDATE wtb_batch_tests SET status = CAST(:status AS text) WHERE id = :id""",
        id=id_of(path),
        status=status,
        execution=_STANDING.get(status, "pending"),
    )


async def everything(served: Database, path: str) -> list[dict[str, Any]]:
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in _TABLES)  # noqa: S608
    return await select(
        served,
        f"SELECT batch.*, {counts} FROM wtb_batch_tests AS batch WHERE id = :id",  # noqa: S608
        id=id_of(path),
    )


@pytest.mark.parametrize(("command", "status"), OUTCOMES)
async def test_a_command_is_accepted_and_recorded_where_the_status_allows_it(
    caller: Caller, served: Database, path: str, command: str, status: str
) -> None:
    await standing(served, path, status)
    before = (await caller.get(path)).json()
    answer = await caller.post(f"{path}/{command}", reason="lunch")
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1{path}"
    after = answer.json()
    assert (await caller.get(path)).json() == after
    status_after, event = OUTCOMES[command, status]
    assert (after["status"], after["becomes"]) == (status_after, None)
    assert after["version"] > before["version"]
    assert (before["version"] + 1, event) in await history(served, id_of(path))
    [recorded] = await select(
        served,
        "SELECT kind, issued_by, payload FROM wtb_commands WHERE target_id = :id AND kind <> 'run'",
        id=id_of(path),
    )
    assert tuple(recorded.values()) == (command.replace("-", "_"), "operator", {"reason": "lunch"})


@pytest.mark.parametrize(
    ("command", "status"),
    [pair for pair in product(COMMANDS, STATUSES) if pair not in OUTCOMES],
)
async def test_a_command_that_the_status_does_not_allow_changes_nothing(
    caller: Caller, served: Database, path: str, command: str, status: str
) -> None:
    await standing(served, path, status)
    before = await everything(served, path)
    problem_of(await caller.post(f"{path}/{command}"), 409, "invalid_transition")
    assert await everything(served, path) == before


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_on_what_does_not_exist_is_not_found(caller: Caller, command: str) -> None:
    answer = await caller.post(f"/batch-tests/{new_id()}/{command}")
    problem_of(answer, 404, "not_found")


@pytest.mark.parametrize("content", [b"", b"null", b"{}"])
async def test_a_command_takes_an_empty_body(caller: Caller, path: str, content: bytes) -> None:
    kind = {"Content-Type": "application/json"} if content else {}
    answer = await caller.http.post(f"/api/v1{path}/stop", content=content, headers=kind)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(("body", "field"), [({"why": "lunch"}, "why"), ({"reason": 7}, "reason")])
async def test_a_command_that_cannot_be_understood_names_its_field(
    caller: Caller, path: str, body: dict[str, Any], field: str
) -> None:
    assert fields_of(await caller.post(f"{path}/stop", **body)) == [field]


async def test_a_batch_says_how_much_of_it_may_run_and_fail(
    caller: Caller, letters: Workflow
) -> None:
    limits = {"max_concurrency": 2, "max_failures": 0, "timeout_seconds": 5}
    answer = await caller.post(
        "/batch-tests", workflow=letters.name, test_cases=CASES, limits=limits
    )
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert (batch["max_concurrency"], batch["max_failures"]) == (2, 0)
    assert batch["counts"] == {**dict.fromkeys(STATUSES, 0), "total": 3, "pending": 3}
    assert (await caller.get(f"/batch-tests/{batch['id']}")).json() == batch


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"max_concurrency": 0}, "limits.max_concurrency"),
        ({"max_failures": -1}, "limits.max_failures"),
        ({"max_failure": 1}, "limits.max_failure"),
    ],
)
async def test_limits_that_make_no_sense_are_refused(
    caller: Caller, letters: Workflow, limits: dict[str, int], field: str
) -> None:
    answer = await caller.post(
        "/batch-tests", workflow=letters.name, test_cases=CASES, limits=limits
    )
    assert fields_of(answer) == [field]
