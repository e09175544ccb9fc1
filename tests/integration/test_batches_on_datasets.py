"""Batch tests on datasets: pinned to a version, nothing copied, paired by the authors' ids."""

from typing import Any
from uuid import UUID

import pytest
from arranging import claim, completed, register, register_runner, select, settle
from dataset_calls import Json, case, new_dataset
from served_api import Caller, fields_of, problem_of

from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.score_batch import score_batch
from wtb_async.application.batches.submit_batch_test import SubmitBatchTest, submit_batch_test
from wtb_async.application.datasets.create_dataset import create_dataset
from wtb_async.application.datasets.import_cases import import_cases
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.dataset import CaseContent, Dataset, ImportMode, IncomingCase, sampled
from wtb_async.domain.execution import Limits
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

CASES = [case(f"case {n}", n, reference={"n": n}, metadata={"n": n}) for n in range(12)]


async def submit(caller: Caller, workflow: Workflow, **body: Any) -> Json:  # noqa: ANN401
    """A batch test that must be accepted."""
    answer = await caller.post("/batch-tests", workflow=workflow.name, **body)
    assert answer.status_code == 202, answer.text
    accepted: Json = answer.json()
    return accepted


async def results(caller: Caller, batch: Json) -> list[Json]:
    found: list[Json] = (await caller.get(f"/batch-tests/{batch['id']}/results", limit=200)).json()[
        "items"
    ]
    return found


async def keys_of(caller: Caller, batch: Json) -> list[str]:
    return [row["test_case_id"] for row in await results(caller, batch)]


async def test_a_batch_runs_the_cases_of_the_newest_version(
    caller: Caller, letters: Workflow
) -> None:
    dataset = await new_dataset(caller, CASES)
    for name in (dataset.name, dataset.id):
        batch = await submit(caller, letters, dataset=name, repetitions=2)
        assert (batch["dataset_id"], batch["dataset_version"]) == (dataset.id, 2)
        assert batch["counts"]["total"] == 24
        assert (await caller.get(f"/batch-tests/{batch['id']}")).json() == batch
        assert (await keys_of(caller, batch))[::2] == [each["id"] for each in CASES]
    executions = (await caller.get("/executions", batch=batch["id"], limit=200)).json()["items"]
    inputs = {item["test_case_id"]: item["input"] for item in executions}
    assert inputs == {each["id"]: each["input"] for each in CASES}


async def test_the_cases_are_not_copied(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    dataset = await new_dataset(caller, CASES)
    batch = await submit(caller, letters, dataset=dataset.name)
    [row] = await select(
        served,
        "SELECT count(*) FILTER (WHERE batch_test_id = :batch) AS copied,"
        " count(*) FILTER (WHERE dataset_id = :dataset) AS kept FROM wtb_test_cases",
        batch=UUID(batch["id"]),
        dataset=UUID(dataset.id),
    )
    assert row == {"copied": 0, "kept": 12}


async def test_a_batch_stays_with_its_version(caller: Caller, letters: Workflow) -> None:
    dataset = await new_dataset(caller, CASES)
    before = await submit(caller, letters, dataset=dataset.name)
    await dataset.change("PUT", "case 3", input={"n": 300})
    await dataset.change("DELETE", "case 4")
    after = await submit(caller, letters, dataset=dataset.name)
    pinned = await submit(caller, letters, dataset=dataset.name, dataset_version=2)
    assert [len(await keys_of(caller, each)) for each in (before, after, pinned)] == [12, 11, 12]
    assert await inputs_of(caller, before, "case 3") == [{"n": 3}]
    assert await inputs_of(caller, after, "case 3") == [{"n": 300}]
    assert await inputs_of(caller, pinned, "case 3") == [{"n": 3}]


async def inputs_of(caller: Caller, batch: Json, key: str) -> list[Json]:
    listed = (await caller.get("/executions", batch=batch["id"], limit=200)).json()["items"]
    return [item["input"] for item in listed if item["test_case_id"] == key]


async def test_a_limit_chooses_the_same_cases_each_time_and_adds_to_smaller_ones(
    caller: Caller, letters: Workflow
) -> None:
    dataset = await new_dataset(caller, CASES)
    chosen = []
    for limit in (4, 7, 50):
        batch = await submit(caller, letters, dataset=dataset.name, limit=limit)
        chosen.append(await keys_of(caller, batch))
    own = await submit(caller, letters, test_cases=CASES, limit=4)
    assert [len(keys) for keys in chosen] == [4, 7, 12]
    assert set(chosen[0]) < set(chosen[1])
    assert await keys_of(caller, own) == chosen[0]
    expected = [CASES[at]["id"] for at in sampled([each["id"] for each in CASES], 4)]
    assert chosen[0] == expected != [each["id"] for each in CASES[:4]]
    await dataset.add(*(case(f"later {n}") for n in range(3)))
    assert (
        await keys_of(
            caller, await submit(caller, letters, dataset=dataset.name, dataset_version=2, limit=4)
        )
        == chosen[0]
    )


async def test_a_dataset_that_batches_ran_on_cannot_be_deleted(
    caller: Caller, letters: Workflow
) -> None:
    dataset = await new_dataset(caller, CASES)
    await submit(caller, letters, dataset=dataset.name)
    answer = await caller.http.delete(f"/api/v1{dataset.path}")
    problem_of(answer, 409, "conflict")
    assert len(await dataset.keys()) == 12


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["test_cases"]),
        ({"dataset": "nobody's"}, ["dataset"]),
        ({"dataset": "HERE", "test_cases": CASES}, ["dataset"]),
        ({"dataset": "HERE", "test_cases": []}, ["dataset"]),
        ({"dataset": "HERE", "dataset_version": 3}, ["dataset_version"]),
        ({"dataset": "HERE", "dataset_version": 1}, ["dataset"]),
        ({"dataset": "HERE", "dataset_version": 0}, ["dataset_version"]),
        ({"dataset": "HERE", "limit": 0}, ["limit"]),
        ({"test_cases": CASES, "dataset_version": 2}, ["dataset_version"]),
        ({"dataset_version": 2}, ["test_cases", "dataset_version"]),
    ],
)
async def test_what_cannot_be_run_names_its_field(
    caller: Caller, letters: Workflow, body: Json, fields: list[str]
) -> None:
    dataset = await new_dataset(caller, CASES)
    given = body | ({"dataset": dataset.name} if body.get("dataset") == "HERE" else {})
    answer = await caller.post("/batch-tests", workflow=letters.name, **given)
    assert fields_of(answer) == fields


async def submit_here(platform: Platform, dataset: Dataset) -> UUID:
    """A batch test of the graded project on the newest version, with a scorer."""
    view = await submit_batch_test(
        SubmitBatchTest(
            workflow="graded",
            name="a batch",
            variant_matrix={},
            exclude=(),
            baseline=None,
            cases=CaseChoice(dataset=dataset.name),
            repetitions=1,
            evaluators=["wtb.exact_match"],
            limits=Limits(),
            max_executions=1000,
            caller="test",
        ),
        uow_factory=platform.database.unit_of_work,
        evaluators=platform.evaluation,
        nudges=platform.nudges,
    )
    return view.id


async def put(platform: Platform, dataset: Dataset, key: str, word: str) -> None:
    """Let the dataset have a case that this word answers."""
    content = CaseContent(key=key, input={}, reference={"word": word})
    await import_cases(
        dataset.name,
        iter([IncomingCase("line.1", content)]),
        ImportMode.UPSERT,
        "test",
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )


async def scores_of(platform: Platform, batch_id: UUID) -> dict[str, bool | float]:
    """The score of each case, by its author's id."""
    await score_batch(
        batch_id,
        uow_factory=platform.database.unit_of_work,
        engine=platform.evaluation,
        nudges=platform.nudges,
    )
    rows = await BatchTestQueries(platform.database.engine).scored_rows(batch_id)
    return {row.test_case_id: row.scores["wtb.exact_match"] for row in rows}


async def test_batches_are_scored_by_their_versions_and_pair_by_the_ids_of_the_cases(
    platform: Platform,
) -> None:
    uow_factory = platform.database.unit_of_work
    await register(uow_factory, "graded")
    dataset = await create_dataset(
        "words", "", "test", uow_factory=uow_factory, nudges=platform.nudges
    )
    for key in "ab":
        await put(platform, dataset, key, key)
    first = await submit_here(platform, dataset)
    await put(platform, dataset, "a", "b")
    second = await submit_here(platform, dataset)
    runner = await register_runner(uow_factory)
    runs = await claim(uow_factory, runner)
    await settle(uow_factory, runner, *(completed(run.id, {"word": "b"}) for run in runs))
    assert await scores_of(platform, first) == {"a": False, "b": True}
    assert await scores_of(platform, second) == {"a": True, "b": True}


def test_a_sample_is_taken_in_order_and_without_a_limit_is_everything() -> None:
    keys = [str(number) for number in range(100)]
    assert sampled(keys, None) == sampled(keys, 1000) == list(range(100))
    assert sampled(keys, 10) == sorted(sampled(keys, 10))
    assert {keys[at] for at in sampled(keys, 10)} == {
        keys[::-1][at] for at in sampled(keys[::-1], 10)
    }
