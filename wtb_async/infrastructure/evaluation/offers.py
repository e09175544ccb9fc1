"""What each kind of evaluator is offered, by name and in LangSmith's older order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wtb_async.application.batches.scoring import Outcome, ScoredCase
from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.infrastructure.evaluation.picking import picked
from wtb_async.infrastructure.evaluation.views import example_view, run_view

SINGLE_NAMES = (
    *("inputs", "outputs", "reference_outputs", "metadata", "run", "example", "attachments"),
    *("input", "output", "expected"),
)
PAIRWISE_NAMES = ("inputs", "outputs", "reference_outputs", "metadata", "runs", "example")
SUMMARY_NAMES = ("inputs", "outputs", "reference_outputs", "runs", "examples")


@dataclass(frozen=True, slots=True)
class Offer:
    """The arguments that an evaluator may ask for."""

    named: Mapping[str, Any]
    pair: tuple[Any, Any]
    """For evaluators with two parameters of other names: the run or runs, and the example."""
    aliases: Mapping[str, Any] = field(default_factory=dict)
    """The same things under autoevals' names."""


def offer_single(choice: EvaluatorChoice, outcome: Outcome, case: ScoredCase) -> Offer:
    """One execution. Raises LookupError where a path of the choice leads nowhere."""
    run, example = run_view(outcome, case), example_view(case)
    outputs = picked(outcome.outputs, choice.output, "outputs")
    reference = picked(case.reference_outputs, choice.reference, "reference_outputs")
    return Offer(
        named={
            "inputs": case.inputs,
            "outputs": outputs,
            "reference_outputs": reference,
            "metadata": case.metadata,
            "run": run,
            "example": example,
            "attachments": example.attachments,
        },
        pair=(run, example),
        aliases={"input": case.inputs, "output": outputs, "expected": reference},
    )


def offer_pair(choice: EvaluatorChoice, outcomes: Sequence[Outcome], case: ScoredCase) -> Offer:
    """Two executions of one case. Raises LookupError where a path leads nowhere."""
    runs, example = [run_view(each, case) for each in outcomes], example_view(case)
    return Offer(
        named={
            "inputs": case.inputs,
            "outputs": [picked(each.outputs, choice.output, "outputs") for each in outcomes],
            "reference_outputs": picked(
                case.reference_outputs, choice.reference, "reference_outputs"
            ),
            "metadata": case.metadata,
            "runs": runs,
            "example": example,
        },
        pair=(runs, example),
    )


def offer_column(choice: EvaluatorChoice, column: Sequence[tuple[Outcome, ScoredCase]]) -> Offer:
    """All executions of a combination. Raises LookupError where a path leads nowhere."""
    runs = [run_view(outcome, case) for outcome, case in column]
    examples = [example_view(case) for _, case in column]
    return Offer(
        named={
            "inputs": [case.inputs for _, case in column],
            "outputs": [picked(each.outputs, choice.output, "outputs") for each, _ in column],
            "reference_outputs": [
                picked(case.reference_outputs, choice.reference, "reference_outputs")
                for _, case in column
            ],
            "runs": runs,
            "examples": examples,
        },
        pair=(runs, examples),
    )
