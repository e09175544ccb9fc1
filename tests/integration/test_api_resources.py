"""The REST resources on a real API process: shapes, lists, filters, refusals."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from arranging import accept, change, history, select
from served_api import Caller, fields_of, problem_of

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
    executions = (await caller.get("/executions", batch=body["id"], limit=200)).json()["items"]
    assert {item["batch_test_id"] for item in executions} == {body["id"]}
    assert {item["test_case_id"] for item in executions} == {"case 0", "case 1", "case 2"}
    comparison = await caller.get(f"/batch-tests/{body['id']}/comparison")
    assert comparison.status_code == 200
    assert await history(served, UUID(body["id"])) == [(1, "BatchCreated")]


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
    assert sum(rest, [])[:4] == ids[3::-1]


async def test_every_list_pages_through_all_its_items_once(
    caller: Caller, letters: Workflow
) -> None:
    for number in range(3):
        await caller.post(
            "/batch-tests", workflow=letters.name, name=str(number), test_cases=CASES
        )
    batches = await pages(caller, "/batch-tests", workflow=letters.name, limit=2)
    assert [len(page) for page in batches] == [2, 1]
    results = await pages(caller, f"/batch-tests/{batches[0][0]}/results", limit=2)
    assert [len(page) for page in results] == [2, 1]
    assert len({each for page in results for each in page}) == 3
    workflows = await pages(caller, "/workflows", limit=1)
    assert str(letters.id) in sum(workflows, [])
    assert all(len(page) == 1 for page in workflows)


async def test_executions_are_filtered(
    caller: Caller, letters: Workflow, served: Database
) -> None:
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


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("/executions", {"limit": 0}, "limit"),
        ("/executions", {"limit": 201}, "limit"),
        ("/executions", {"limit": "many"}, "limit"),
        ("/executions", {"cursor": "not a cursor"}, "cursor"),
        ("/executions", {"cursor": "é"}, "cursor"),
        ("/batch-tests", {"cursor": "AAAA"}, "cursor"),
        ("/executions", {"status": "sleeping"}, "status"),
        ("/executions", {"batch": "7"}, "batch"),
        ("/executions", {"created_after": "yesterday"}, "created_after"),
        ("/executions/7", {}, "execution_id"),
    ],
)
async def test_a_query_that_cannot_be_understood_names_its_field(
    caller: Caller, path: str, params: dict[str, Any], field: str
) -> None:
    assert fields_of(await caller.get(path, **params)) == [field]


@pytest.mark.parametrize(
    "path", ["/executions?workflow=a%00b", "/workflows/a%00b", "/workflows/a%00b/variants"]
)
async def test_a_nul_byte_in_the_address_is_refused(caller: Caller, path: str) -> None:
    assert fields_of(await caller.http.get(f"/api/v1{path}")) == ["workflow"]


@pytest.mark.parametrize(
    "path",
    [
        "/workflows/nobody",
        f"/workflows/{UUID(int=7)}",
        "/workflows/nobody/variants",
        "/workflows/nobody/nodes/first/variants",
        f"/executions/{UUID(int=7)}",
        f"/executions/{UUID(int=7)}/events",
        f"/batch-tests/{UUID(int=7)}",
        f"/batch-tests/{UUID(int=7)}/results",
        f"/batch-tests/{UUID(int=7)}/comparison",
        f"/batch-tests/{UUID(int=7)}/events",
    ],
)
async def test_what_does_not_exist_is_not_found(caller: Caller, path: str) -> None:
    problem_of(await caller.get(path), 404, "not_found")


async def test_an_unknown_route_and_a_wrong_method_are_problems_too(caller: Caller) -> None:
    problem_of(await caller.get("/nothing"), 404, "not_found")
    answer = await caller.http.delete("/api/v1/workflows")
    problem_of(answer, 405, "method_not_allowed")


async def test_a_node_that_the_graph_does_not_have_is_not_found(
    caller: Caller, letters: Workflow
) -> None:
    answer = await caller.get(f"/workflows/{letters.id}/nodes/third/variants")
    assert "first, second" in problem_of(answer, 404, "not_found")["detail"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["input"]),
        ({"input": []}, ["input"]),
        ({"input": {}, "extra": 1}, ["extra"]),
        ({"input": {}, "variants": {"third": "x"}}, ["variants.third"]),
        (
            {"input": {}, "variants": {"second": "quiet", "first": "x"}},
            ["variants.second", "variants.first"],
        ),
        ({"input": {}, "workflow_variant": "other"}, ["workflow_variant"]),
        ({"input": {}, "limits": {"recursion_limit": 0}}, ["limits.recursion_limit"]),
        ({"input": {}, "limits": {"timeout_seconds": -1}}, ["limits.timeout_seconds"]),
        ({"input": {"a": ["\x00"]}}, ["input.a.0"]),
        ({"input": {"a": 2**63}}, ["input.a"]),
    ],
)
async def test_an_execution_that_cannot_be_run_is_refused_and_nothing_is_recorded(
    caller: Caller, letters: Workflow, body: dict[str, Any], fields: list[str]
) -> None:
    answer = await caller.post("/executions", workflow=letters.name, **body)
    assert fields_of(answer) == fields
    assert (await caller.get("/executions", workflow=letters.name)).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"test_cases": []}, ["test_cases"]),
        ({"test_cases": [CASES[0], CASES[0]]}, ["test_cases"]),
        ({"test_cases": CASES, "variant_matrix": {"third": ["x"]}}, ["variant_matrix.0.third"]),
        ({"test_cases": CASES, "variant_matrix": []}, ["variant_matrix"]),
        ({"test_cases": CASES, "evaluators": ["wtb.guess"]}, ["evaluators.0"]),
        ({"test_cases": CASES, "evaluators": ["os:system"]}, ["evaluators.0"]),
        ({"test_cases": CASES, "evaluators": ["../x.py:f"]}, ["evaluators.0"]),
        ({"test_cases": CASES, "repetitions": 0}, ["repetitions"]),
        ({"test_cases": CASES, "baseline": {"second": "loud"}}, ["baseline"]),
    ],
)
async def test_a_batch_test_that_cannot_be_run_is_refused_and_nothing_is_recorded(
    caller: Caller, letters: Workflow, body: dict[str, Any], fields: list[str]
) -> None:
    answer = await caller.post("/batch-tests", workflow=letters.name, **body)
    assert fields_of(answer) == fields
    assert (await caller.get("/batch-tests", workflow=letters.name)).json()["items"] == []


async def test_a_matrix_that_is_too_large_says_how_large(
    caller: Caller, letters: Workflow
) -> None:
    many = [{"id": str(number), "input": {}} for number in range(200)]
    answer = await caller.post(
        "/batch-tests", workflow=letters.name, test_cases=many, repetitions=1000
    )
    assert "200000 executions" in problem_of(answer, 422, "invalid_input")["detail"]
