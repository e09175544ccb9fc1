"""Evaluators of every convention are called with what they ask for, and their answers are read."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from factories import outcome, scored_case, unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.application.batches.scoring import Score
from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.infrastructure.evaluation.calling import CallOptions, EvaluatorCaller
from wtb_async.infrastructure.evaluation.offers import offer_single
from wtb_async.infrastructure.evaluation.results import scores_of
from wtb_async.infrastructure.evaluation.views import ExampleView, RunView

NAME = "scorers:judge"
JUDGE = EvaluatorChoice(use=NAME)


async def call(evaluator: object, choice: EvaluatorChoice = JUDGE) -> list[Score]:
    caller = EvaluatorCaller(CallOptions(attempts=1))
    offer = offer_single(choice, outcome(), scored_case())
    return scores_of(choice, await caller.call(choice.name, evaluator, offer))


def returning(value: object) -> Callable[[], object]:
    return lambda: value


async def test_an_evaluator_gets_the_arguments_it_names() -> None:
    given: list[object] = []

    def judge(reference_outputs: object, metadata: object, inputs: object) -> bool:
        given.extend((reference_outputs, metadata, inputs))
        return True

    await call(judge)
    assert given == [{"answer": "4"}, {"level": "easy"}, {"question": "2 + 2"}]


async def test_an_evaluator_that_takes_anything_gets_everything() -> None:
    given: dict[str, Any] = {}

    def judge(**everything: Any) -> bool:  # noqa: ANN401
        given.update(everything)
        return True

    await call(judge)
    names = {"inputs", "outputs", "reference_outputs", "run", "example", "metadata", "attachments"}
    assert set(given) == names


async def test_arguments_may_have_to_be_given_by_position() -> None:
    def judge(outputs: object, /, *, reference_outputs: object) -> bool:
        return outputs == reference_outputs

    assert await call(judge) == [Score(evaluator=NAME, key="judge", score=True)]


async def test_two_parameters_of_other_names_are_the_run_and_the_example() -> None:
    seen: list[object] = []

    def judge(root_run: RunView, gold: ExampleView) -> bool:
        seen.extend((root_run, gold))
        return bool(root_run.outputs == gold.outputs)

    ended = outcome()
    offer = offer_single(JUDGE, ended, scored_case())
    assert await EvaluatorCaller(CallOptions()).call(NAME, judge, offer) is True
    assert seen == [
        RunView(
            id=str(ended.execution_id),
            inputs={"question": "2 + 2"},
            outputs={"answer": "4"},
            error=None,
            status="completed",
            duration_ms=12.5,
            metadata={"level": "easy"},
            start_time=ended.started_at,
            end_time=ended.finished_at,
        ),
        ExampleView(
            id="q1",
            inputs={"question": "2 + 2"},
            outputs={"answer": "4"},
            metadata={"level": "easy"},
        ),
    ]


async def test_a_default_stands_where_nothing_is_offered() -> None:
    def judge(outputs: object, threshold: float = 0.5) -> float:
        return threshold if outputs else 0.0

    assert await call(judge) == [Score(evaluator=NAME, key="judge", score=0.5)]


async def test_an_argument_that_nobody_offers_is_named() -> None:
    def judge(outputs: object, answer: object, gold: object) -> bool:
        return outputs == answer == gold

    with pytest.raises(TypeError, match=r"it asks for answer, gold; there are inputs, outputs,"):
        await call(judge)


async def test_an_evaluator_sees_the_part_that_was_chosen_for_it() -> None:
    choice = EvaluatorChoice(use=NAME, output="answer", reference="answer")
    seen = await call(lambda outputs, reference_outputs: [len(outputs + reference_outputs)], choice)
    assert [score.score for score in seen] == [2.0]
    with pytest.raises(LookupError, match=r"outputs has no 'answer\.0\.text'"):
        await call(returning(1), EvaluatorChoice(use=NAME, output="answer.0.text"))


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


@dataclass
class AutoScore:
    """As autoevals' scorers return it."""

    name: str
    score: float | None
    metadata: dict[str, Any] = field(default_factory=dict)


class Closeness:
    """As autoevals' scorers are called."""

    def __call__(self, output: Any, expected: Any = None, **kwargs: Any) -> AutoScore:  # noqa: ANN401
        assert set(kwargs) == {"input"}
        return AutoScore("Closeness", float(output == expected), {"rationale": "the same"})


def exact(*, outputs: object, reference_outputs: object, **_: object) -> dict[str, object]:
    """As openevals' evaluators are called."""
    return {"key": "exact", "score": outputs == reference_outputs, "comment": None, "metadata": {}}


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
    assert await call(evaluator) == [Score(evaluator=NAME, key="judge", score=0.25)]


async def test_scorers_of_the_shape_of_autoevals_and_openevals_work_as_they_are() -> None:
    assert await call(Closeness()) == [
        Score(evaluator=NAME, key="Closeness", score=1.0, comment="the same")
    ]
    assert await call(exact) == [Score(evaluator=NAME, key="exact", score=True)]


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
    [row] = await call(returning(result))
    assert row == Score(evaluator=NAME, key="judge", score=score)
    assert type(row.score) is type(score)


async def test_a_mapping_names_its_key_and_says_why() -> None:
    result = {"key": "tone", "score": 0.75, "comment": "polite", "extra": 1}
    [row] = await call(returning(result))
    assert row == Score(evaluator=NAME, key="tone", score=0.75, comment="polite")


async def test_a_category_is_no_score_and_is_kept_in_words() -> None:
    [bare] = await call(returning("polite"))
    assert bare == Score(evaluator=NAME, key="judge", comment="polite")
    [named] = await call(returning({"key": "tone", "value": "polite", "comment": "says please"}))
    assert named == Score(evaluator=NAME, key="tone", comment="polite: says please")


SEVERAL = [{"key": "a", "score": 1}, ({"key": "b", "score": False},), {"key": "c"}]


@pytest.mark.parametrize("result", [SEVERAL, {"results": SEVERAL}])
async def test_a_list_is_several_scores(result: object) -> None:
    rows = await call(returning(result))
    assert [(row.key, row.score) for row in rows] == [("a", 1.0), ("b", False), ("c", None)]


async def test_the_key_of_the_caller_wins_and_stands_before_those_of_several() -> None:
    choice = EvaluatorChoice(use=NAME, key="mine")
    [alone] = await call(returning({"key": "tone", "score": 1}), choice)
    several = await call(returning(SEVERAL), choice)
    assert (alone.evaluator, alone.key) == ("mine", "mine")
    assert [row.key for row in several] == ["mine.a", "mine.b", "mine.c"]


async def test_an_evaluator_that_says_nothing_has_an_error() -> None:
    with pytest.raises(TypeError, match="it returned no score"):
        await call(returning([]))


@pytest.mark.parametrize("result", [math.nan, math.inf, -math.inf, {"score": "good"}, 1j])
async def test_what_is_no_finite_number_is_an_error(result: object) -> None:
    with pytest.raises(TypeError, match="a score is a bool or a finite number, not "):
        await call(returning(result))


async def test_a_mapping_of_other_things_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"a result has a key, a score, .*, not \['accuracy'\]"):
        await call(returning({"accuracy": 1}))


@unhurried
@given(st.text(st.characters(exclude_categories=())))
def test_every_text_of_an_evaluator_can_be_stored(text: str) -> None:
    for row in scores_of(JUDGE, {"key": text, "score": 1, "comment": text, "value": text}):
        for stored in (row.key, row.comment or ""):
            assert "\x00" not in stored
            stored.encode()
