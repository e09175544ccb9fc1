"""Evaluators written for LangSmith score here as they do there, without a change."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from factories import outcome, scored_case
from langsmith import Client, evaluate
from langsmith.evaluation import EvaluationResult, RunEvaluator, run_evaluator
from langsmith.evaluation.evaluator import _normalize_summary_evaluator, comparison_evaluator
from langsmith.schemas import Example, LangSmithInfo, Run

from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.infrastructure.evaluation.calling import CallOptions, EvaluatorCaller
from wtb_async.infrastructure.evaluation.offers import offer_column, offer_pair, offer_single
from wtb_async.infrastructure.evaluation.preferring import preference_of
from wtb_async.infrastructure.evaluation.results import scores_of

CALLER = EvaluatorCaller(CallOptions())


def correct(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
    return bool(outputs["answer"] == reference_outputs["answer"])


def brevity(run: Run, example: Example) -> dict[str, Any]:
    said, wanted = run.outputs or {}, example.outputs or {}
    return {"key": "brevity", "score": len(wanted["answer"]) / len(said["answer"])}


def several(inputs: dict[str, Any], outputs: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": "asks", "score": len(inputs["question"])},
        {"key": "tone", "value": "dry", "comment": outputs["answer"]},
    ]


@run_evaluator
def wrapped(run: Run, example: Example | None) -> EvaluationResult:
    same = example is not None and run.outputs == example.outputs
    return EvaluationResult(key="same", score=same, comment="compared")


class Length(RunEvaluator):
    def evaluate_run(
        self, run: Run, example: Example | None = None, evaluator_run_id: object = None
    ) -> EvaluationResult:
        del example, evaluator_run_id
        return EvaluationResult(key="length", score=len((run.outputs or {})["answer"]))


EVALUATORS: list[Any] = [correct, brevity, several, wrapped, Length()]


def offline() -> Client:
    """A client that asks nobody."""
    return Client(
        api_url="http://127.0.0.1:9",
        api_key="none",
        info=LangSmithInfo(),
        auto_batch_tracing=False,
    )


def scores_there() -> dict[str, Any]:
    """What `langsmith.evaluate` finds, by key."""
    example = Example(id=uuid4(), inputs={"question": "2 + 2"}, outputs={"answer": "4"})
    found = evaluate(
        lambda _: {"answer": "4!"},
        data=[example],
        evaluators=EVALUATORS,
        client=offline(),
        upload_results=False,
    )
    [row] = list(found)
    return {each.key: (each.score, each.value) for each in row["evaluation_results"]["results"]}


@pytest.mark.filterwarnings("ignore::langsmith._internal._beta_decorator.LangSmithBetaWarning")
async def test_evaluators_for_langsmiths_evaluate_run_unchanged_in_both_worlds() -> None:
    choice = EvaluatorChoice(use="scorers:correct")
    offer = offer_single(choice, outcome({"answer": "4!"}), scored_case())
    here = {}
    for evaluator in EVALUATORS:
        for score in scores_of(choice, await CALLER.call("correct", evaluator, offer)):
            here[score.key] = score.score
    assert here == {
        "correct": False,
        "brevity": 0.5,
        "asks": 5,
        "tone": None,
        "same": False,
        "length": 2,
    }
    assert {key: score for key, (score, _) in scores_there().items()} == here


def shorter(outputs: list[dict[str, Any]]) -> list[int]:
    first, second = (len(each["answer"]) for each in outputs)
    return [int(first < second), int(second < first)]


@comparison_evaluator
def shorter_by_id(runs: Sequence[Run], example: Example | None = None) -> dict[str, Any]:
    del example
    lengths = {run.id: len((run.outputs or {})["answer"]) for run in runs}
    return {"key": "shorter", "scores": {id_: -length for id_, length in lengths.items()}}


@pytest.mark.parametrize("evaluator", [shorter, shorter_by_id])
async def test_comparison_evaluators_compare_two_outputs(evaluator: Callable[..., Any]) -> None:
    choice = EvaluatorChoice(use="scorers:shorter")
    pair = [outcome({"answer": "four"}), outcome({"answer": "4"})]
    result = await CALLER.call("shorter", evaluator, offer_pair(choice, pair, scored_case()))
    ids = [str(each.execution_id) for each in pair]
    assert preference_of(choice, result, ids, baseline_first=True).score == 1
    assert preference_of(choice, result, ids, baseline_first=False).score == 0


def share_right(outputs: list[Any], reference_outputs: list[Any]) -> dict[str, Any]:
    right = sum(map(dict.__eq__, outputs, reference_outputs))
    return {"key": "share_right", "score": right / len(outputs)}


def share_right_of_runs(runs: Sequence[Run], examples: Sequence[Example]) -> dict[str, Any]:
    pairs = zip(runs, examples, strict=True)
    right = sum(run.outputs == example.outputs for run, example in pairs)
    return {"key": "share_right", "score": right / len(runs)}


@pytest.mark.parametrize("evaluator", [share_right, share_right_of_runs])
async def test_summary_evaluators_see_the_whole_column(evaluator: Callable[..., Any]) -> None:
    choice = EvaluatorChoice(use="scorers:share_right")
    column = [(outcome({"answer": said}), scored_case()) for said in "4455"]
    result = await CALLER.call("share", evaluator, offer_column(choice, column))
    [score] = scores_of(choice, result)
    assert (score.key, score.score) == ("share_right", 0.5)
    assert callable(_normalize_summary_evaluator(evaluator)), "LangSmith takes it too"
