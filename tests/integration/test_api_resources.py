"""The REST resources on a real API process: shapes, lists, filters, refusals."""

from itertools import chain
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from arranging import accept, change, history, select
from served_api import Caller

from wtb_async.application.ids import new_id
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

CASES = [{"id": f"case {n}", "input": {"do": ""}, "reference": {"n": n}} for n in range(3)]


async def test_an_accepted_execution_is_all_pending_and_where_location_says(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    answer = await caller.post(
        "/executions",
        workflow=letters.name,
        input={"do": "naïve"},
        variants={"second": "loud"},
        metadata={"why": None},
    )
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == f"/api/v1/executions/{body['id']}"
    assert (await caller.http.get(answer.headers["location"])).json() == body
    assert body["workflow"] == letters.name
    assert (body["status"], body["attempt"], body["version"]) == ("pending", 1, 1)
    assert (body["input"], body["variants"]) == ({"do": "naïve"}, {"second": "loud"})
    assert (body["metadata"], body["created_by"]) == ({"why": None}, "operator")
    assert body["created_at"].endswith("Z")
    assert await history(served, UUID(body["id"])) == [(1, "ExecutionCreated")]
    [command] = await select(
        served, "SELECT kind, issued_by FROM wtb_commands WHERE target_id = :id", id=body["id"]
    )
    assert tuple(command.values()) == ("run", "operator")


async def test_breakpoints_and_limits_are_kept_with_the_execution(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    breakpoints = {"before": ["second"], "after": ["first"]}
    accepted = await caller.execute(
        letters.name, breakpoints=breakpoints, limits={"node_timeout_seconds": 1.5}
    )
    assert accepted["breakpoints"] == breakpoints
    [run] = await select(
        served,
        "SELECT run.limits FROM wtb_runs AS run JOIN wtb_executions AS execution"
        " ON execution.run_id = run.id WHERE execution.id = :id",
        id=accepted["id"],
    )
    assert run["limits"] == {
        "timeout_seconds": None,
        "node_timeout_seconds": 1.5,
        "recursion_limit": 100,
        "max_attempts": 3,
    }


async def test_a_workflow_may_stand_in_the_path_by_name_or_by_id(
    caller: Caller, letters: Workflow
) -> None:
    for name in (quote(letters.name), str(letters.id)):
        answer = await caller.post(f"/workflows/{name}/execute", input={})
        assert (answer.status_code, answer.json()["workflow_id"]) == (202, str(letters.id))
        batch = await caller.post(f"/workflows/{name}/batch-test", test_cases=CASES)
        assert (batch.status_code, batch.json()["workflow_id"]) == (202, str(letters.id))


async def test_a_workflow_shows_its_graph_and_its_variants(
    caller: Caller, letters: Workflow
) -> None:
    body = (await caller.get(f"/workflows/{quote(letters.name)}")).json()
    assert (body["id"], body["nodes"], body["version"]) == (
        str(letters.id),
        ["first", "second"],
        1,
    )
    [variant] = body["node_variants"]
    assert (variant["node"], variant["name"]) == ("second", "loud")
    assert body["workflow_variants"] == []
    listed = (await caller.get(f"/workflows/{letters.id}/nodes/second/variants")).json()
    assert listed == {"items": [variant], "next_cursor": None}
    assert (await caller.get(f"/workflows/{letters.id}/nodes/first/variants")).json() == {
        "items": [],
        "next_cursor": None,
    }
    assert (await caller.get(f"/workflows/{letters.id}/variants")).json()["items"] == []


async def test_a_batch_test_multiplies_out_and_counts(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    answer = await caller.post(
        "/batch-tests",
        workflow=letters.name,
        variant_matrix={"second": ["base", "loud"]},
        test_cases=CASES,
        repetitions=2,
        evaluators=["wtb.exact_match"],
    )
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == f"/api/v1/batch-tests/{body['id']}"
    assert (await caller.http.get(answer.headers["location"])).json() == body
    assert body["counts"]["total"] == body["counts"]["pending"] == 12
    assert body["combinations"] == [{"second": "base"}, {"second": "loud"}]
    assert body["baseline"] == {"second": "base"}
    assert (body["status"], body["name"]) == ("pending", f"{letters.name} batch")
    results = (await caller.get(f"/batch-tests/{body['id']}/results", limit=200)).json()
    assert results["next_cursor"] is None
    assert len(results["items"]) == 12
    first = results["items"][0]
    assert (first["test_case_id"], first["repetition"], first["status"]) == (
        "case 0",
        0,
        "pending",
    )
    assert first["nodes"] == []
    executions = (await caller.get("/executions", batch=body["id"], limit=200)).json()["items"]
    assert {item["batch_test_id"] for item in executions} == {body["id"]}
    assert {item["test_case_id"] for item in executions} == {"case 0", "case 1", "case 2"}
    comparison = await caller.get(f"/batch-tests/{body['id']}/comparison")
    assert comparison.status_code == 200
    assert await history(served, UUID(body["id"])) == [(1, "BatchCreated")]


@pytest.mark.parametrize("given", [{}, {"share_prefixes": True}, {"share_prefixes": False}])
async def test_a_batch_shares_prefixes_unless_it_is_told_not_to(
    caller: Caller, letters: Workflow, served: Database, given: dict[str, bool]
) -> None:
    matrix = {"second": ["base", "loud"]}
    answer = await caller.post(
        "/batch-tests", workflow=letters.name, variant_matrix=matrix, test_cases=CASES, **given
    )
    shares = given.get("share_prefixes", True)
    assert answer.json()["share_prefixes"] is shares
    assert answer.json()["node_executions"] == {"run": 0, "saved": 0, "saved_ms": 0.0}
    [found] = await select(
        served,
        "SELECT count(DISTINCT run_id) AS runs, count(DISTINCT thread_id) AS threads"
        " FROM wtb_executions WHERE batch_test_id = :id",
        id=UUID(answer.json()["id"]),
    )
    assert found == dict.fromkeys(("runs", "threads"), 3 if shares else 6)


async def pages(caller: Caller, path: str, **params: Any) -> list[list[str]]:  # noqa: ANN401
    """The ids of every page."""
    found: list[list[str]] = []
    cursor = None
    while True:
        query = params | ({"cursor": cursor} if cursor else {})
        page = (await caller.get(path, **query)).json()
        found.append([item.get("id") or item["execution_id"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_lists_are_newest_first_and_stable_while_rows_are_added(
    caller: Caller, letters: Workflow
) -> None:
    ids = [(await caller.execute(letters.name))["id"] for _ in range(7)]
    first = (await caller.get("/executions", workflow=letters.name, limit=3)).json()
    for _ in range(4):
        await caller.execute(letters.name)
    rest = await pages(
        caller, "/executions", workflow=letters.name, limit=3, cursor=first["next_cursor"]
    )
    assert [item["id"] for item in first["items"]] == ids[:3:-1]
    assert list(chain(*rest))[:4] == ids[3::-1]


async def test_every_list_pages_through_all_its_items_once(
    caller: Caller, letters: Workflow
) -> None:
    for number in range(3):
        await caller.post("/batch-tests", workflow=letters.name, name=str(number), test_cases=CASES)
    batches = await pages(caller, "/batch-tests", workflow=letters.name, limit=2)
    assert [len(page) for page in batches] == [2, 1]
    results = await pages(caller, f"/batch-tests/{batches[0][0]}/results", limit=2)
    assert [len(page) for page in results] == [2, 1]
    assert len({each for page in results for each in page}) == 3
    workflows = await pages(caller, "/workflows", limit=1)
    assert str(letters.id) in chain(*workflows)
    assert all(len(page) == 1 for page in workflows)


async def test_executions_are_filtered(caller: Caller, letters: Workflow, served: Database) -> None:
    plan = await accept(served.unit_of_work, letters, 3)
    old, failed, child = [str(planned.execution_id) for planned in plan.executions]
    await change(
        served,
        "UPDATE wtb_executions SET created_at = '2020-01-01T00:00:00Z' WHERE id = :id",
        id=old,
    )
    await change(served, "UPDATE wtb_executions SET status = 'failed' WHERE id = :id", id=failed)
    await change(
        served,
        "UPDATE wtb_executions SET parent_execution_id = :parent WHERE id = :id",
        id=child,
        parent=old,
    )

    async def found(**filters: str) -> set[str]:
        page = (await caller.get("/executions", workflow=letters.name, **filters)).json()
        return {item["id"] for item in page["items"]}

    assert await found() == {old, failed, child}
    assert await found(status="failed") == {failed}
    assert await found(parent=old) == {child}
    assert await found(created_before="2021-01-01T00:00:00Z") == {old}
    assert await found(created_after="2021-01-01T00:00:00Z", status="pending") == {child}
    assert await found(batch=str(new_id())) == set()


@pytest.mark.parametrize("name", ["' OR 1=1 --", "%", "_", "letters%", "*", '"', "\\"])
async def test_a_filter_is_text_and_nothing_else(
    caller: Caller, letters: Workflow, name: str
) -> None:
    await caller.execute(letters.name)
    answer = await caller.get("/executions", workflow=name)
    assert answer.json() == {"items": [], "next_cursor": None}


async def test_an_execution_that_has_not_begun_has_no_nodes(
    caller: Caller, letters: Workflow
) -> None:
    accepted = (await caller.post("/executions", workflow=letters.name, input={})).json()
    answer = await caller.get(f"/executions/{accepted['id']}/nodes")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})
    assert (await caller.get(f"/executions/{new_id()}/nodes")).status_code == 404
