"""What the API refuses: with the right status, the field's name, and nothing recorded."""

from typing import Any
from uuid import UUID

import pytest
from served_api import Caller, fields_of, problem_of

from wtb_async.domain.workflow import Workflow

CASES = [{"id": f"case {n}", "input": {"do": ""}, "reference": {"n": n}} for n in range(3)]


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
        ("/executions", {"created_after": "2026-01-01T00:00:00"}, "created_after"),
        ("/executions", {"created_before": "0001-01-01T00:00:00+14:00"}, "created_before"),
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
        ({"input": {}, "limits": {"node_timeout_seconds": 0}}, ["limits.node_timeout_seconds"]),
        ({"input": {}, "breakpoints": ["first"]}, ["breakpoints"]),
        ({"input": {}, "breakpoints": {"at": ["first"]}}, ["breakpoints.at"]),
        (
            {"input": {}, "breakpoints": {"before": ["first", "third"], "after": ["fourth"]}},
            ["breakpoints.before.1", "breakpoints.after.0"],
        ),
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
        ({"test_cases": CASES, "share_prefixes": "yes, please"}, ["share_prefixes"]),
        ({"test_cases": CASES, "share_prefixes": None}, ["share_prefixes"]),
        ({"test_cases": CASES, "baseline": {"second": "loud"}}, ["baseline"]),
    ],
)
async def test_a_batch_test_that_cannot_be_run_is_refused_and_nothing_is_recorded(
    caller: Caller, letters: Workflow, body: dict[str, Any], fields: list[str]
) -> None:
    answer = await caller.post("/batch-tests", workflow=letters.name, **body)
    assert fields_of(answer) == fields
    assert (await caller.get("/batch-tests", workflow=letters.name)).json()["items"] == []


async def test_a_matrix_that_is_too_large_says_how_large(caller: Caller, letters: Workflow) -> None:
    many = [{"id": str(number), "input": {}} for number in range(200)]
    answer = await caller.post(
        "/batch-tests", workflow=letters.name, test_cases=many, repetitions=1000
    )
    assert "200000 executions" in problem_of(answer, 422, "invalid_input")["detail"]
