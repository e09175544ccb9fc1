"""`/batch-tests/{id}/extend` over the API: shapes, datasets, refusals."""

from typing import Any
from uuid import UUID

import pytest
from arranging import change, select
from dataset_calls import CalledDataset, Json, case, new_dataset
from served_api import Caller, fields_of, problem_of

from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

CASES = [case(f"case {n}", n) for n in range(3)]


async def new_batch(caller: Caller, workflow: Workflow, **body: Any) -> Json:  # noqa: ANN401
    """A batch test that must be accepted."""
    answer = await caller.post("/batch-tests", workflow=workflow.name, **body)
    assert answer.status_code == 202, answer.text
    accepted: Json = answer.json()
    return accepted


async def extend(caller: Caller, batch: Json, **body: Any) -> Json:  # noqa: ANN401
    """The batch after a growth that must be accepted."""
    answer = await caller.post(f"/batch-tests/{batch['id']}/extend", **body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/batch-tests/{batch['id']}"
    extended: Json = answer.json()
    return extended


async def rows(caller: Caller, batch: Json) -> list[Json]:
    found: list[Json] = (await caller.get(f"/batch-tests/{batch['id']}/results", limit=200)).json()[
        "items"
    ]
    return found


async def keys(caller: Caller, batch: Json) -> list[str]:
    return [row["test_case_id"] for row in await rows(caller, batch)]


async def test_new_combinations_run_on_all_cases_and_old_ones_get_the_new_names(
    caller: Caller, letters: Workflow
) -> None:
    batch = await new_batch(caller, letters, test_cases=CASES[:2], variant_matrix={})
    grown = await extend(caller, batch, variant_matrix={"second": ["base", "loud"]})
    assert grown["combinations"] == [{"second": "base"}, {"second": "loud"}]
    assert grown["baseline"] == {"second": "base"}
    assert (grown["counts"]["total"], grown["version"]) == (4, 2)
    assert (await caller.get(f"/batch-tests/{batch['id']}")).json() == grown
    found = [
        (row["test_case_id"], row["combination"]["second"]) for row in await rows(caller, batch)
    ]
    assert found == [
        ("case 0", "base"),
        ("case 1", "base"),
        ("case 0", "loud"),
        ("case 1", "loud"),
    ]
    comparison = (await caller.get(f"/batch-tests/{batch['id']}/comparison")).json()
    assert comparison["baseline"] == {"second": "base"}


async def test_everything_may_grow_at_once(caller: Caller, letters: Workflow) -> None:
    batch = await new_batch(caller, letters, test_cases=CASES[:1])
    grown = await extend(
        caller,
        batch,
        variant_matrix={"first": ["base"], "second": ["base", "loud"]},
        exclude=[{"second": "base"}],
        test_cases=CASES,
        limit=2,
        repetitions=3,
    )
    assert (grown["counts"]["total"], grown["repetitions"]) == (12, 3)
    found = [
        (row["test_case_id"], row["combination"]["second"], row["repetition"])
        for row in await rows(caller, batch)
    ]
    assert len(set(found)) == len(found) == 12


async def test_a_batch_that_grew_step_by_step_is_the_one_that_was_accepted_at_once(
    caller: Caller, letters: Workflow
) -> None:
    matrix = {"first": ["base"], "second": ["base", "loud"]}
    at_once = await new_batch(
        caller, letters, test_cases=CASES, variant_matrix=matrix, repetitions=2
    )
    batch = await new_batch(caller, letters, test_cases=CASES[:1])
    await extend(caller, batch, repetitions=2)
    await extend(caller, batch, variant_matrix={"second": ["loud"]}, test_cases=CASES[1:2])
    grown = await extend(caller, batch, variant_matrix={"first": ["base"]}, test_cases=CASES)
    for name in ("combinations", "baseline", "repetitions", "counts"):
        assert grown[name] == at_once[name], name
    assert await places(caller, grown) == await places(caller, at_once)


async def places(caller: Caller, batch: Json) -> list[tuple[Any, ...]]:
    """Where in the product its executions are, sorted."""
    found = [
        (row["test_case_id"], str(row["repetition"]), *sorted(row["combination"].items()))
        for row in await rows(caller, batch)
    ]
    return sorted(found)


async def test_what_is_there_already_changes_nothing(caller: Caller, letters: Workflow) -> None:
    batch = await new_batch(caller, letters, test_cases=CASES, variant_matrix={"second": ["loud"]})
    same = {"variant_matrix": [{"second": "loud"}], "test_cases": CASES, "repetitions": 1}
    assert await extend(caller, batch, **same) == batch


async def test_a_batch_moves_on_to_a_newer_version_of_its_dataset(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    dataset = await new_dataset(caller, CASES)
    batch = await new_batch(caller, letters, dataset=dataset.name)
    await dataset.change("DELETE", "case 1")
    await dataset.add(case("case 9", 9))
    # The same cases in another order are the same cases, though they are other rows.
    await dataset.add(*(await dataset.cases())[::-1], mode="replace")
    grown = await extend(caller, batch, dataset_version=(await dataset.read())["version"])
    assert (grown["dataset_version"], grown["counts"]["total"]) == (5, 4)
    assert await keys(caller, batch) == ["case 0", "case 1", "case 2", "case 9"]
    executions = (await caller.get("/executions", batch=batch["id"])).json()["items"]
    assert executions[0]["input"] == {"n": 9}
    [copied] = await select(
        served,
        "SELECT count(*) FROM wtb_test_cases WHERE batch_test_id = :id",
        id=UUID(batch["id"]),
    )
    assert copied["count"] == 0


async def test_cases_that_are_gone_from_the_dataset_still_take_part(
    caller: Caller, letters: Workflow
) -> None:
    dataset = await new_dataset(caller, CASES)
    batch = await new_batch(caller, letters, dataset=dataset.name)
    await dataset.change("DELETE", "case 1")
    await dataset.add(case("case 9", 9))
    await extend(caller, batch, dataset_version=4, repetitions=2)
    assert sorted(await keys(caller, batch)) == sorted(
        [each for each in ("case 0", "case 1", "case 2", "case 9") for _ in range(2)]
    )


async def test_a_sample_grows_and_stays_a_sample(caller: Caller, letters: Workflow) -> None:
    dataset = await new_dataset(caller, [case(f"case {n}", n) for n in range(20)])
    batch = await new_batch(caller, letters, dataset=dataset.name, limit=4)
    assert batch["case_limit"] == 4
    grown = await extend(caller, batch, limit=7)
    assert (grown["case_limit"], grown["dataset_version"]) == (7, 2)
    at_once = await new_batch(caller, letters, dataset=dataset.name, limit=7)
    assert sorted(await keys(caller, batch)) == sorted(await keys(caller, at_once))
    await dataset.add(*(case(f"later {n}", n) for n in range(20)))
    newer = await extend(caller, batch, dataset_version=3)
    assert newer["case_limit"] == 7
    assert 7 < newer["counts"]["total"] <= 14


async def test_a_case_that_reads_differently_in_the_newer_version_is_refused(
    caller: Caller, letters: Workflow
) -> None:
    dataset = await new_dataset(caller, CASES)
    batch = await new_batch(caller, letters, dataset=dataset.name)
    await dataset.change("PUT", "case 1", input={"n": 100})
    answer = await caller.post(f"/batch-tests/{batch['id']}/extend", dataset_version=3)
    assert fields_of(answer) == ["dataset_version"]
    assert "1 read differently than what the batch ran: case 1" in answer.json()["detail"]


REFUSALS: list[tuple[Json, list[str]]] = [
    ({}, ["variant_matrix"]),
    ({"exclude": [{"second": "loud"}]}, ["exclude"]),
    ({"evaluators": []}, ["evaluators"]),
    ({"repetitions": 1}, ["repetitions"]),
    ({"repetitions": 1001}, ["repetitions"]),
    ({"limit": 0}, ["limit"]),
    ({"variant_matrix": []}, ["variant_matrix"]),
    ({"variant_matrix": {"second": ["quiet"]}}, ["variant_matrix.0.second"]),
    ({"variant_matrix": {"third": ["base"]}}, ["variant_matrix.0.third"]),
    ({"variant_matrix": {"__workflow__": ["flat"]}}, ["variant_matrix.0.__workflow__"]),
    ({"test_cases": [CASES[0], CASES[0]]}, ["test_cases"]),
]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        *REFUSALS,
        ({"dataset_version": 2}, ["dataset_version"]),
        ({"limit": 2}, ["limit"]),
        ({"dataset_version": 2, "limit": 2}, ["dataset_version", "limit"]),
        ({"test_cases": [case("case 0", 77)]}, ["test_cases"]),
        ({"test_cases": [case("case 0", 0, metadata={"n": 1})]}, ["test_cases"]),
    ],
)
async def test_what_cannot_be_added_names_its_field_and_nothing_is_changed(
    caller: Caller, letters: Workflow, body: Json, fields: list[str]
) -> None:
    batch = await new_batch(caller, letters, test_cases=CASES[:2], repetitions=2)
    answer = await caller.post(f"/batch-tests/{batch['id']}/extend", **body)
    assert fields_of(answer) == fields
    assert (await caller.get(f"/batch-tests/{batch['id']}")).json() == batch


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"test_cases": CASES}, ["test_cases"]),
        ({"dataset_version": 3}, ["dataset_version"]),
        ({"dataset_version": 1}, ["dataset_version"]),
    ],
)
async def test_a_batch_on_a_dataset_takes_cases_from_nowhere_else(
    caller: Caller, letters: Workflow, body: Json, fields: list[str]
) -> None:
    dataset: CalledDataset = await new_dataset(caller, CASES)
    batch = await new_batch(caller, letters, dataset=dataset.name)
    answer = await caller.post(f"/batch-tests/{batch['id']}/extend", **body)
    assert fields_of(answer) == fields


async def test_a_batch_that_is_not_there_or_was_stopped_does_not_grow(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    answer = await caller.post(f"/batch-tests/{UUID(int=7)}/extend", repetitions=2)
    problem_of(answer, 404, "not_found")
    batch = await new_batch(caller, letters, test_cases=CASES)
    await change(
        served,
        "UPDATE wtb_batch_tests SET status = 'cancelled' WHERE id = :id",
        id=UUID(batch["id"]),
    )
    answer = await caller.post(f"/batch-tests/{batch['id']}/extend", repetitions=2)
    problem_of(answer, 409, "invalid_transition")
