"""Evaluators written for LangSmith work as they are, and a bad one costs only its own score."""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import scoring_job, unhurried, write_project
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.application.ports import Score
from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.evaluation.builtin import exact_match
from wtb_async.infrastructure.evaluation.calling import RunView, call_evaluator
from wtb_async.infrastructure.evaluation.engine import ProjectEvaluationEngine
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry

NAME = "scorers:judge"


async def scores_of(evaluator: Callable[..., Any]) -> list[Score]:
    return await call_evaluator(NAME, evaluator, scoring_job())


async def error_of(evaluator: Callable[..., Any]) -> str:
    """What is wrong with the only row, which has no score."""
    [row] = await scores_of(evaluator)
    assert (row.evaluator, row.key, row.score) == (NAME, "judge", None)
    assert row.error is not None
    return row.error


def returning(value: object) -> Callable[[], object]:
    return lambda: value


async def test_an_evaluator_gets_the_arguments_it_names() -> None:
    given: list[object] = []

    def judge(reference_outputs: object, metadata: object, inputs: object) -> bool:
        given.extend((reference_outputs, metadata, inputs))
        return True

    await scores_of(judge)
    assert given == [{"answer": "4"}, {"level": "easy"}, {"question": "2 + 2"}]


async def test_an_evaluator_that_takes_anything_gets_everything() -> None:
    given: dict[str, Any] = {}

    def judge(**everything: Any) -> bool:  # noqa: ANN401
        given.update(everything)
        return True

    await scores_of(judge)
    assert set(given) == {"inputs", "outputs", "reference_outputs", "run", "metadata"}


async def test_the_run_shows_what_happened() -> None:
    job = scoring_job()
    seen: list[RunView] = []

    def judge(run: RunView) -> bool:
        seen.append(run)
        return True

    await call_evaluator(NAME, judge, job)
    assert seen == [
        RunView(
            id=str(job.execution_id),
            inputs=job.inputs,
            outputs=job.outputs,
            error=None,
            status="completed",
            duration_ms=12.5,
            metadata={"level": "easy"},
        )
    ]


async def test_a_default_stands_where_nothing_is_offered() -> None:
    def judge(outputs: object, threshold: float = 0.5) -> float:
        return threshold if outputs else 0.0

    assert await scores_of(judge) == [Score(evaluator=NAME, key="judge", score=0.5)]


async def test_an_argument_that_nobody_offers_is_named() -> None:
    def judge(outputs: object, example: object) -> bool:
        return outputs == example

    assert await error_of(judge) == (
        "TypeError: it asks for example; "
        "there are inputs, outputs, reference_outputs, metadata, run"
    )


class Judge:
    def __init__(self, bar: float) -> None:
        self.bar = bar

    def __call__(self, outputs: object) -> float:
        return self.bar if outputs else 0.0

    async def later(self, outputs: object) -> float:
        return self.bar if outputs else 0.0


class AsyncJudge(Judge):
    async def __call__(self, outputs: object) -> float:  # type: ignore[override]
        return self.bar if outputs else 0.0


def judge_with(outputs: object, bar: float) -> float:
    return bar if outputs else 0.0


async def judge_later_with(outputs: object, bar: float) -> float:
    return bar if outputs else 0.0


@pytest.mark.parametrize(
    "evaluator",
    [
        Judge(0.25),
        Judge(0.25).later,
        AsyncJudge(0.25),
        functools.partial(judge_with, bar=0.25),
        functools.partial(judge_later_with, bar=0.25),
        lambda outputs: judge_later_with(outputs, 0.25),
    ],
)
async def test_everything_that_can_be_called_is_an_evaluator(
    evaluator: Callable[..., Any],
) -> None:
    assert await scores_of(evaluator) == [Score(evaluator=NAME, key="judge", score=0.25)]


@pytest.mark.parametrize(
    ("result", "score"),
    [
        (True, True),
        (False, False),
        (1, 1.0),
        (0.5, 0.5),
        (None, None),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        (np.bool_(True), True),
    ],
)
async def test_a_bool_stays_a_bool_and_a_number_becomes_a_float(
    result: object, score: bool | float | None
) -> None:
    [row] = await scores_of(returning(result))
    assert row == Score(evaluator=NAME, key="judge", score=score)
    assert type(row.score) is type(score)


async def test_a_mapping_names_its_key_and_says_why() -> None:
    result = {"key": "tone", "score": 0.75, "comment": "polite", "extra": 1}
    [row] = await scores_of(returning(result))
    assert row == Score(evaluator=NAME, key="tone", score=0.75, comment="polite")


async def test_a_mapping_without_a_key_scores_under_the_evaluators_name() -> None:
    [row] = await scores_of(returning({"score": True}))
    assert row == Score(evaluator=NAME, key="judge", score=True)


async def test_a_list_is_several_scores() -> None:
    result = [{"key": "a", "score": 1}, ({"key": "b", "score": False},), {"key": "c"}]
    rows = await scores_of(returning(result))
    assert [(row.key, row.score) for row in rows] == [("a", 1.0), ("b", False), ("c", None)]


async def test_what_an_evaluator_raises_becomes_its_row() -> None:
    def judge() -> float:
        raise LookupError("no such word")

    async def judge_later() -> float:
        raise LookupError("no such word")

    for evaluator in (judge, judge_later):
        assert await error_of(evaluator) == "LookupError: no such word"


@pytest.mark.parametrize("result", [math.nan, math.inf, -math.inf, "good", {"score": "good"}, 1j])
async def test_what_is_no_finite_number_becomes_an_error(result: object) -> None:
    assert await error_of(returning(result)) in {
        f"TypeError: a score is a bool or a finite number, not {value!r}"
        for value in (result, "good")
    }


@unhurried
@given(st.text(st.characters(exclude_categories=())))
async def test_every_text_of_an_evaluator_can_be_stored(text: str) -> None:
    def fails() -> None:
        raise ValueError(text)

    rows = await scores_of(returning({"key": text, "score": 1, "comment": text}))
    for row in [*rows, *await scores_of(fails)]:
        for stored in (row.key, row.comment or "", row.error or ""):
            assert "\x00" not in stored
            stored.encode()


@pytest.mark.parametrize(
    ("outputs", "reference", "matches"),
    [
        ({"answer": "4", "steps": 3}, {"answer": "4"}, True),
        ({"answer": "5"}, {"answer": "4"}, False),
        ({}, {"answer": None}, False),
        ({"answer": "4"}, {}, True),
        ("4", "4", True),
        ("4", {"answer": "4"}, False),
        (None, None, True),
    ],
)
def test_a_match_is_exact_in_every_field_of_the_reference(
    outputs: Any,  # noqa: ANN401
    reference: Any,  # noqa: ANN401
    matches: bool,
) -> None:
    assert exact_match(outputs, reference) is matches


SCORERS = """
from scoring_rules import length

def judge(outputs):
    return len(outputs["answer"]) == length

def breaks(outputs):
    raise ValueError("broken")

number = 3
"""


@pytest.fixture
def engine(tmp_path: Path) -> ProjectEvaluationEngine:
    files = {"scorers.py": SCORERS, "scoring_rules.py": "length = 1", "bad.py": "1 / 0\njudge = 1"}
    project = write_project(tmp_path / "project", files)
    return ProjectEvaluationEngine(ProjectRegistry([project.file]))


async def test_an_evaluator_of_the_project_and_a_built_in_one_score_together(
    engine: ProjectEvaluationEngine,
) -> None:
    job = scoring_job(["./scorers.py:judge", "wtb.exact_match", "wtb.latency"])
    scored = await engine.score(job)
    assert scored.execution_id == job.execution_id
    assert [(row.key, row.score) for row in scored.scores] == [
        ("judge", True),
        ("wtb.exact_match", True),
        ("wtb.latency", 12.5),
    ]


async def test_a_bad_evaluator_does_not_cost_the_others_their_scores(
    engine: ProjectEvaluationEngine,
) -> None:
    names = ["./scorers.py:breaks", "./bad.py:judge", "./scorers.py:number", "./scorers.py:judge"]
    scored = await engine.score(scoring_job(names))
    assert [row.key for row in scored.scores] == ["breaks", "judge", "number", "judge"]
    assert [row.error is None for row in scored.scores] == [False, False, False, True]


async def test_an_execution_that_failed_is_not_scored(engine: ProjectEvaluationEngine) -> None:
    scored = await engine.score(scoring_job(["./scorers.py:judge"], status="failed"))
    assert scored.scores == ()


def test_evaluators_are_checked_without_being_loaded(engine: ProjectEvaluationEngine) -> None:
    engine.check("project", ["wtb.exact_match", "./bad.py:judge", "scorers:judge"])


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("wtb.magic", "does not exist; built in are wtb.exact_match, wtb.latency"),
        ("os:getcwd", "names nothing in project"),
        ("./scorers.py:missing", "defines no 'missing'"),
        ("judge", "is not 'module:attr'"),
    ],
)
def test_an_evaluator_that_leads_nowhere_is_named_with_its_place(
    engine: ProjectEvaluationEngine, reference: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=f"evaluators.1: .*{message}"):
        engine.check("project", ["wtb.latency", reference])
