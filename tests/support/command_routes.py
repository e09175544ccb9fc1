"""A request for every route that changes something, on an object that takes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from api_fixtures import ServedApi
from arranging import select
from dataset_calls import case, new_dataset
from served_api import Caller
from standing import standing
from stock_runs import run

from wtb_async.application.ids import new_id
from wtb_async.domain.events import Aggregate, Change, WorkflowChanged
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

CASES = [{"id": "case 1", "input": {"do": ""}}]
GRAPH = "./letters.py:build"


@dataclass(frozen=True)
class Bed:
    """What requests are prepared on."""

    api: ServedApi
    caller: Caller
    served: Database
    letters: Workflow

    async def batch(self) -> str:
        """The path of a batch test that waits for a runner."""
        answer = await self.caller.post(
            "/batch-tests", workflow=self.letters.name, test_cases=CASES
        )
        return f"/batch-tests/{answer.json()['id']}"

    async def dead_letter(self, sequence: int = 7) -> int:
        """The number of an event of the workflow that was given up."""
        event = WorkflowChanged(name=self.letters.name, change="something")
        change = Change(
            aggregate=Aggregate.WORKFLOW,
            aggregate_id=self.letters.id,
            version=sequence,
            event=event,
            actor="test",
        )
        async with self.served.unit_of_work() as uow:
            uow.journal.record(change)
            await uow.commit()
        [row] = await select(
            self.served,
            "SELECT id FROM wtb_outbox WHERE aggregate_id = :id AND sequence = :sequence",
            id=self.letters.id,
            sequence=sequence,
        )
        await self.bury(row["id"])
        return int(row["id"])

    async def bury(self, event_id: int) -> None:
        """Give an event up."""
        async with self.served.unit_of_work() as uow:
            await uow.outbox.mark_failed([event_id], "told to fail", retry_in_seconds=None)
            await uow.commit()


@pytest.fixture
async def bed(api: ServedApi, caller: Caller, served: Database, letters: Workflow) -> Bed:
    """A workflow of its own in the database of the API."""
    return Bed(api, caller, served, letters)


@dataclass(frozen=True)
class Asked:
    """A request that is accepted."""

    method: str
    path: str
    json: dict[str, Any] | None = None
    lines: str | None = None
    """Test cases, instead of JSON."""

    async def send(self, bed: Bed, request_id: str) -> int:
        """Send it under an id; answers the status."""
        headers = {"X-Request-ID": request_id}
        if self.lines is not None:
            headers["Content-Type"] = "application/jsonl"
        answer = await bed.caller.http.request(
            self.method, f"/api/v1{self.path}", json=self.json, content=self.lines, headers=headers
        )
        assert answer.headers["x-request-id"] == request_id
        return answer.status_code


async def _create_workflow(_: Bed) -> Asked:
    body = {"name": f"made {new_id()}", "project": "letters", "graph": GRAPH}
    return Asked("POST", "/workflows", body)


async def _put_workflow(_: Bed) -> Asked:
    body = {"project": "letters", "graph": GRAPH}
    return Asked("PUT", f"/workflows/{quote(f'put {new_id()}')}", body)


async def _create_node_variant(bed: Bed) -> Asked:
    body = {"name": "louder", "implementation": "./letters.py:loud"}
    return Asked("POST", f"/workflows/{bed.letters.id}/nodes/second/variants", body)


async def _create_workflow_variant(bed: Bed) -> Asked:
    return Asked("POST", f"/workflows/{bed.letters.id}/variants", {"name": "other", "graph": GRAPH})


async def _create_execution(bed: Bed) -> Asked:
    return Asked("POST", "/executions", {"workflow": bed.letters.name, "input": {}})


async def _execute_workflow(bed: Bed) -> Asked:
    return Asked("POST", f"/workflows/{bed.letters.id}/execute", {"input": {}})


async def _of_execution(kind: str, status: str, bed: Bed) -> Asked:
    path = await run(bed.api, bed.caller, bed.letters, do="")
    row = await standing(bed.served, path, status)
    if kind == "state":
        return Asked("PATCH", f"{path}/state", {"state": {"do": "wait"}})
    goes_back = kind in {"rollback", "branch"}
    body = {"checkpoint_id": row["checkpoint_id"]} if goes_back else {}
    return Asked("POST", f"{path}/{kind}", body)


async def _create_batch_test(bed: Bed) -> Asked:
    return Asked("POST", "/batch-tests", {"workflow": bed.letters.name, "test_cases": CASES})


async def _batch_test_workflow(bed: Bed) -> Asked:
    return Asked("POST", f"/workflows/{bed.letters.id}/batch-test", {"test_cases": CASES})


async def _of_batch(kind: str, first: str | None, bed: Bed) -> Asked:
    path = await bed.batch()
    if first is not None:
        await bed.caller.post(f"{path}/{first}")
    return Asked("POST", f"{path}/{kind}", {})


async def _extend_batch_test(bed: Bed) -> Asked:
    return Asked("POST", f"{await bed.batch()}/extend", {"repetitions": 2})


async def _score_batch_test(bed: Bed) -> Asked:
    return Asked("POST", f"{await bed.batch()}/score", {"evaluators": ["wtb.latency"]})


async def _create_dataset(_: Bed) -> Asked:
    return Asked("POST", "/datasets", {"name": f"made {new_id()}"})


async def _of_dataset(method: str, below: str, body: dict[str, Any] | None, bed: Bed) -> Asked:
    dataset = await new_dataset(bed.caller, [case("one")])
    return Asked(method, f"{dataset.path}{below}", body)


async def _import_test_cases(bed: Bed) -> Asked:
    dataset = await new_dataset(bed.caller)
    return Asked("POST", f"{dataset.path}/test-cases", lines='{"id": "one", "input": {}}')


async def _begin_integrity_check(_: Bed) -> Asked:
    return Asked("POST", "/integrity/check", {})


async def _replay_dead_letter(bed: Bed) -> Asked:
    return Asked("POST", f"/outbox/dead-letters/{await bed.dead_letter()}/replay")


COMMAND_ROUTES: dict[str, Callable[[Bed], Awaitable[Asked]]] = {
    "create_workflow": _create_workflow,
    "put_workflow": _put_workflow,
    "create_node_variant": _create_node_variant,
    "create_workflow_variant": _create_workflow_variant,
    "create_execution": _create_execution,
    "execute_workflow": _execute_workflow,
    "pause_execution": partial(_of_execution, "pause", "running"),
    "resume_execution": partial(_of_execution, "resume", "paused"),
    "stop_execution": partial(_of_execution, "stop", "paused"),
    "roll_back_execution": partial(_of_execution, "rollback", "completed"),
    "branch_execution": partial(_of_execution, "branch", "completed"),
    "edit_state": partial(_of_execution, "state", "paused"),
    "create_batch_test": _create_batch_test,
    "batch_test_workflow": _batch_test_workflow,
    "pause_batch_test": partial(_of_batch, "pause", None),
    "resume_batch_test": partial(_of_batch, "resume", "pause"),
    "stop_batch_test": partial(_of_batch, "stop", None),
    "retry_failed_of_batch_test": partial(_of_batch, "retry-failed", "stop"),
    "extend_batch_test": _extend_batch_test,
    "score_batch_test": _score_batch_test,
    "create_dataset": _create_dataset,
    "describe_dataset": partial(_of_dataset, "PATCH", "", {"description": "better"}),
    "delete_dataset": partial(_of_dataset, "DELETE", "", None),
    "import_test_cases": _import_test_cases,
    "edit_test_case": partial(_of_dataset, "PUT", "/test-cases/one", {"input": {"n": 2}}),
    "delete_test_case": partial(_of_dataset, "DELETE", "/test-cases/one", None),
    "begin_integrity_check": _begin_integrity_check,
    "replay_dead_letter": _replay_dead_letter,
}
"""By the operation's id in the description of the API."""
