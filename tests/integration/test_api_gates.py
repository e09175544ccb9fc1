"""Gates and comparisons of two batch tests over the API, on a real database."""

import pytest
from ended_batches import ended_batch
from served_api import Caller, fields_of, problem_of

from wtb_async.application.ids import new_id
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database


def always(_: int) -> bool:
    return True


def half(case: int) -> bool:
    return case % 2 == 0


@pytest.fixture
async def batch_id(caller: Caller, served: Database, letters: Workflow) -> str:
    """Of two combinations, of which `loud` is the worse one."""
    return await ended_batch(caller, served, letters, {"base": always, "loud": half})


async def gate(caller: Caller, batch_id: str, **query: object) -> JsonObject:
    answer = await caller.get(f"/batch-tests/{batch_id}/gate", **query)
    assert answer.status_code == 200, answer.text
    report: JsonObject = answer.json()
    return report


async def test_a_gate_tells_every_condition_and_combination(caller: Caller, batch_id: str) -> None:
    report = await gate(
        caller, batch_id, fail_if=["hit < 0.8", "failures > 0"], worse_than="second=base"
    )
    assert (report["batch_test_id"], report["passed"]) == (batch_id, False)
    findings = report["findings"]
    assert isinstance(findings, list)
    assert [(each["condition"], each["combination"], each["outcome"]) for each in findings] == [
        ("the batch test has not completed", None, "passed"),
        ("hit < 0.8", {"second": "base"}, "passed"),
        ("hit < 0.8", {"second": "loud"}, "failed"),
        ("failures > 0", {"second": "base"}, "passed"),
        ("failures > 0", {"second": "loud"}, "passed"),
        ("hit is worse than second=base", {"second": "loud"}, "failed"),
    ]
    assert findings[2] == {
        "condition": "hit < 0.8",
        "combination": {"second": "loud"},
        "outcome": "failed",
        "message": "hit is 0.5 (30 cases, 95 % interval 0.313 to 0.687), 0.3 below 0.8",
        "value": 0.5,
        "interval": {"low": pytest.approx(0.313, abs=1e-4), "high": pytest.approx(0.687, abs=1e-4)},
        "n": 30,
    }


async def test_a_gate_looks_at_another_batch_test_and_at_chosen_scores(
    caller: Caller, served: Database, letters: Workflow, batch_id: str
) -> None:
    after = await ended_batch(caller, served, letters, {"base": half, "loud": half}, name="after")
    assert not (await gate(caller, after, worse_than=batch_id))["passed"]
    assert (await gate(caller, batch_id, worse_than=after))["passed"]
    report = await gate(caller, after, worse_than=batch_id, score="wtb.latency", strict=True)
    assert report["passed"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"fail_if": ["hit < 0.8", "hit"]}, ["fail_if"]),
        ({"worse_than": "main"}, ["worse_than"]),
        ({"worse_than": str(new_id())}, ["worse_than"]),
        ({"failif": "hit < 0.8"}, ["failif"]),
        ({"strict": "perhaps"}, ["strict"]),
        ({"fail_if": ["hit < 0.8"] * 101}, ["fail_if"]),
    ],
)
async def test_a_gate_that_cannot_be_read_names_its_field(
    caller: Caller, batch_id: str, query: dict[str, object], fields: list[str]
) -> None:
    answer = await caller.get(f"/batch-tests/{batch_id}/gate", **query)
    assert fields_of(answer) == fields


async def test_a_gate_is_for_a_batch_test_that_has_ended(
    caller: Caller, served: Database, letters: Workflow
) -> None:
    running = await ended_batch(caller, served, letters, {"base": half}, status="running")
    problem_of(await caller.get(f"/batch-tests/{running}/gate"), 409, "conflict")
    problem_of(await caller.get(f"/batch-tests/{new_id()}/gate"), 404, "not_found")


async def test_a_batch_test_that_ended_badly_does_not_pass(
    caller: Caller, served: Database, letters: Workflow
) -> None:
    cancelled = await ended_batch(caller, served, letters, {"base": half}, status="cancelled")
    assert not (await gate(caller, cancelled))["passed"]


async def test_two_batch_tests_are_compared_case_by_case(
    caller: Caller, served: Database, letters: Workflow, batch_id: str
) -> None:
    more = await ended_batch(
        caller, served, letters, {"base": always, "loud": always}, cases=40, name="more"
    )
    answer = await caller.get(f"/batch-tests/{more}/comparison", against=batch_id)
    assert answer.status_code == 200, answer.text
    comparison = answer.json()
    assert comparison["against"] == {
        "batch_test_id": batch_id,
        "name": f"{letters.name} batch",
        "baseline": {"second": "base"},
        "pairing": "combinations",
    }
    cells = {each["combination"]["second"]: each for each in comparison["evaluators"][0]["cells"]}
    assert {name: cell["paired"]["verdict"] for name, cell in cells.items()} == {
        "base": "no difference shown",
        "loud": "better",
    }
    assert (cells["loud"]["n"], cells["loud"]["paired"]["pairs"]) == (40, 30)
    alone = (await caller.get(f"/batch-tests/{more}/comparison")).json()
    assert alone["against"] is None


async def test_a_comparison_with_what_is_not_there_names_the_field(
    caller: Caller, letters: Workflow, batch_id: str
) -> None:
    path = f"/batch-tests/{batch_id}/comparison"
    assert fields_of(await caller.get(path, against=str(new_id()))) == ["against"]
    assert fields_of(await caller.get(path, against="main")) == ["against"]
    other = await caller.post(
        "/batch-tests", workflow=letters.name, test_cases=[{"id": "other", "input": {}}]
    )
    assert fields_of(await caller.get(path, against=other.json()["id"])) == ["against"]


async def test_results_are_filtered_by_status_and_case(
    caller: Caller, served: Database, letters: Workflow
) -> None:
    def mostly(case: int) -> bool | None:
        return None if case < 2 else True

    batch_id = await ended_batch(caller, served, letters, {"base": mostly}, cases=5)
    path = f"/batch-tests/{batch_id}/results"
    failed = (await caller.get(path, status="failed")).json()["items"]
    assert [each["test_case_id"] for each in failed] == ["q0", "q1"]
    assert len((await caller.get(path, status="completed")).json()["items"]) == 3
    [one] = (await caller.get(path, test_case="q3")).json()["items"]
    assert (one["test_case_id"], one["scores"]) == ("q3", {"hit": True})
    assert (await caller.get(path, test_case="q3", status="failed")).json()["items"] == []
    assert fields_of(await caller.get(path, status="broken")) == ["status"]
    assert fields_of(await caller.get(path, test_case="q\0")) == ["test_case"]
