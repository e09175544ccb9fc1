"""Every command on an execution in every status, over REST."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from api_fixtures import ServedApi
from arranging import history, select
from served_api import Caller, problem_of
from standing import everything, standing
from stock_runs import run

from wtb_async.application.ids import new_id
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

STATUSES = ("pending", "running", "paused", "completed", "failed", "cancelled")


@dataclass(frozen=True)
class Asked:
    """A command, and what it makes of an execution by the status in which it finds it."""

    kind: str
    outcomes: dict[str, tuple[str, str]]
    """Status before: status after, and the type of the event."""

    def body(self, checkpoint_id: str) -> dict[str, Any]:
        """A body that it accepts."""
        match self.kind:
            case "rollback" | "branch":
                return {"checkpoint_id": checkpoint_id}
            case "edit_state":
                return {"state": {"do": "wait"}}
        return {}

    async def send(self, caller: Caller, path: str, **body: Any) -> httpx2.Response:  # noqa: ANN401
        """Ask for it."""
        if self.kind == "edit_state":
            return await caller.patch(f"{path}/state", **body)
        return await caller.post(f"{path}/{self.kind}", **body)


PAUSE = Asked("pause", {"running": ("running", "ExecutionPauseRequested")})
RESUME = Asked("resume", dict.fromkeys(("paused", "failed"), ("pending", "ExecutionResumed")))
STOP = Asked(
    "stop",
    {
        "pending": ("cancelled", "ExecutionCancelled"),
        "running": ("running", "ExecutionStopRequested"),
        "paused": ("cancelled", "ExecutionCancelled"),
    },
)
ROLLBACK = Asked(
    "rollback",
    dict.fromkeys(
        ("paused", "completed", "failed", "cancelled"), ("paused", "ExecutionRolledBack")
    ),
)
BRANCH = Asked("branch", dict.fromkeys(STATUSES, ("pending", "ExecutionBranched")))
EDIT = Asked("edit_state", {"paused": ("pending", "StateEditRequested")})
COMMANDS = (PAUSE, RESUME, STOP, ROLLBACK, BRANCH, EDIT)


def named(value: Asked | str) -> str:
    return value if isinstance(value, str) else value.kind


@pytest.mark.parametrize(
    ("command", "status"),
    [(command, status) for command in COMMANDS for status in command.outcomes],
    ids=named,
)
async def test_a_command_is_accepted_and_recorded_where_the_status_allows_it(
    caller: Caller,
    api: ServedApi,
    served: Database,
    letters: Workflow,
    command: Asked,
    status: str,
) -> None:
    path = await run(api, caller, letters, do="")
    row = await standing(served, path, status)
    before = (await caller.get(path)).json()
    answer = await command.send(caller, path, **command.body(row["checkpoint_id"]))
    assert answer.status_code == 202, answer.text
    after = answer.json()
    assert answer.headers["location"] == f"/api/v1/executions/{after['id']}"
    assert (await caller.http.get(answer.headers["location"])).json() == after
    status_after, event = command.outcomes[status]
    assert after["status"] == status_after
    if command is BRANCH:
        assert (after["version"], after["parent_execution_id"]) == (1, before["id"])
        assert (await caller.get(path)).json() == before
    else:
        assert (after["id"], after["version"]) == (before["id"], before["version"] + 1)
    assert (await history(served, UUID(after["id"])))[-1] == (after["version"], event)
    [recorded] = await select(
        served,
        """SELECT command.kind, command.issued_by, audit.actor, audit.status_after
           FROM wtb_commands AS command JOIN wtb_audit_log AS audit
               ON audit.command_id = command.id
           WHERE command.target_id = :id AND command.kind <> 'run'""",
        id=after["id"],
    )
    assert tuple(recorded.values()) == (command.kind, "operator", "operator", status_after)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (command, status)
        for command in COMMANDS
        for status in STATUSES
        if status not in command.outcomes
    ],
    ids=named,
)
async def test_a_command_that_the_status_does_not_allow_changes_nothing(
    caller: Caller,
    api: ServedApi,
    served: Database,
    letters: Workflow,
    command: Asked,
    status: str,
) -> None:
    path = await run(api, caller, letters, do="")
    row = await standing(served, path, status)
    before = await everything(served, path)
    answer = await command.send(caller, path, **command.body(row["checkpoint_id"]))
    problem_of(answer, 409, "invalid_transition")
    assert await everything(served, path) == before


@pytest.mark.parametrize("command", COMMANDS, ids=named)
async def test_a_command_on_what_does_not_exist_is_not_found(
    caller: Caller, command: Asked
) -> None:
    body = command.body(str(new_id()))
    answer = await command.send(caller, f"/executions/{new_id()}", **body)
    problem_of(answer, 404, "not_found")


@pytest.mark.parametrize("content", [b"", b"null", b"{}"])
@pytest.mark.parametrize(
    ("command", "status"), [(PAUSE, "running"), (RESUME, "failed"), (STOP, "pending")], ids=named
)
async def test_a_command_that_needs_no_details_takes_an_empty_body(
    caller: Caller,
    api: ServedApi,
    served: Database,
    letters: Workflow,
    command: Asked,
    status: str,
    content: bytes,
) -> None:
    path = await run(api, caller, letters, do="")
    await standing(served, path, status)
    kind = {"Content-Type": "application/json"} if content else {}
    answer = await caller.http.post(f"/api/v1{path}/{command.kind}", content=content, headers=kind)
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("command", [ROLLBACK, BRANCH, EDIT], ids=named)
async def test_a_command_that_needs_details_refuses_an_empty_body(
    caller: Caller, letters: Workflow, command: Asked
) -> None:
    execution = await caller.execute(letters.name)
    method, name = ("PATCH", "state") if command is EDIT else ("POST", command.kind)
    path = f"/api/v1/executions/{execution['id']}/{name}"
    problem_of(await caller.http.request(method, path), 422, "invalid_input")
