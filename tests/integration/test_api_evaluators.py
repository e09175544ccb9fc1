"""Evaluators over the API: taken in every form, refused by field before anything is stored."""

from typing import Any

import pytest
from arranging import register, select
from served_api import Caller, fields_of, problem_of

from wtb_async.application.ids import new_id
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

CASES = [{"id": "q1", "input": {"n": 1}, "reference": {"word": "right"}}]
REGEX = {"use": "wtb.regex", "key": "has_date", "with": {"pattern": r"\d{4}"}, "output": "word"}


@pytest.fixture
async def graded(served: Database) -> Workflow:
    """A workflow of the project with evaluators, under a name of its own."""
    return await register(served.unit_of_work, f"graded {new_id()}", project="graded")


async def submit(caller: Caller, workflow: Workflow, **body: Any) -> Any:  # noqa: ANN401
    return await caller.post("/batch-tests", workflow=workflow.name, test_cases=CASES, **body)


async def test_evaluators_are_shown_as_they_were_given(caller: Caller, graded: Workflow) -> None:
    given = {
        "evaluators": ["wtb.latency", REGEX, {"use": "graded:slow", "lower_is_better": True}],
        "pairwise_evaluators": ["graded:longer"],
        "summary_evaluators": [{"use": "graded:share_right", "key": "share"}],
    }
    answer = await submit(caller, graded, **given)
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert {name: batch[name] for name in given} == given
    assert (await caller.get(f"/batch-tests/{batch['id']}")).json() == batch


@pytest.mark.parametrize(
    ("evaluators", "field"),
    [
        (["wtb.magic"], "evaluators.0"),
        (["graded:nobody"], "evaluators.0"),
        ([{"use": "wtb.regex"}], "evaluators.0.with.pattern"),
        ([{"use": "wtb.regex", "with": {"pattern": "("}}], "evaluators.0.with.pattern"),
        ([{"use": "wtb.latency", "with": {"unit": "s"}}], "evaluators.0.with.unit"),
        ([{"use": "graded:broken", "with": {"bar": 1}}], "evaluators.0.with.bar"),
        ([{"key": "k"}], "evaluators.0.use"),
        ([{"use": "wtb.latency", "key": "a b"}], "evaluators.0.key"),
        ([{"use": "wtb.latency", "lower_is_better": "so"}], "evaluators.0.lower_is_better"),
        ([{"use": "wtb.latency", "args": {}}], "evaluators.0.args"),
        ([7], "evaluators.0"),
        (["wtb.latency", {"use": "wtb.tokens", "key": "wtb.latency"}], "evaluators.1"),
    ],
)
async def test_an_evaluator_that_cannot_be_called_is_refused_by_its_field(
    caller: Caller, graded: Workflow, served: Database, evaluators: list[Any], field: str
) -> None:
    answer = await submit(caller, graded, evaluators=evaluators)
    assert fields_of(answer) == [field]
    stored = await select(
        served, "SELECT id FROM wtb_batch_tests WHERE workflow_id = :id", id=graded.id
    )
    assert stored == []


async def test_everything_that_is_wrong_is_said_at_once(caller: Caller, graded: Workflow) -> None:
    answer = await submit(
        caller, graded, evaluators=["wtb.magic"], pairwise_evaluators=["graded:nobody"]
    )
    assert fields_of(answer) == ["evaluators.0", "pairwise_evaluators.0"]


async def test_a_batch_is_given_other_evaluators(caller: Caller, graded: Workflow) -> None:
    batch = (await submit(caller, graded, evaluators=["wtb.latency"])).json()
    path = f"/batch-tests/{batch['id']}/score"
    added = await caller.post(path, evaluators=[REGEX], summary_evaluators=["graded:share_right"])
    assert added.status_code == 202, added.text
    assert added.headers["location"] == f"/api/v1/batch-tests/{batch['id']}"
    assert added.json()["evaluators"] == ["wtb.latency", REGEX]
    assert added.json()["version"] == batch["version"] + 1
    replaced = await caller.post(path, evaluators=["wtb.tokens"], mode="replace")
    assert replaced.json()["evaluators"] == ["wtb.tokens"]
    assert replaced.json()["summary_evaluators"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "evaluators"),
        ({"evaluators": ["wtb.latency"]}, "evaluators.0"),
        ({"evaluators": ["wtb.magic"]}, "evaluators.0"),
        ({"evaluators": ["wtb.tokens"], "mode": "forget"}, "mode"),
        ({"evaluators": ["wtb.tokens"], "why": "so"}, "why"),
    ],
)
async def test_a_request_to_score_that_is_wrong_names_its_field(
    caller: Caller, graded: Workflow, body: dict[str, Any], field: str
) -> None:
    batch = (await submit(caller, graded, evaluators=["wtb.latency"])).json()
    answer = await caller.post(f"/batch-tests/{batch['id']}/score", **body)
    assert fields_of(answer) == [field]
    assert (await caller.get(f"/batch-tests/{batch['id']}")).json() == batch


async def test_a_batch_that_is_not_there_cannot_be_scored(caller: Caller) -> None:
    answer = await caller.post(f"/batch-tests/{new_id()}/score", evaluators=["wtb.tokens"])
    problem_of(answer, 404, "not_found")
