"""Whether a batch test is worse than what it is compared with."""

from collections.abc import Collection, Iterator

from wtb_async.domain.comparison import (
    Cell,
    Combination,
    Comparison,
    EvaluatorComparison,
    Pairing,
    Verdict,
    combination_label,
)
from wtb_async.domain.gate.gate import Finding, Outcome
from wtb_async.domain.gate.left_out import left_out, outcome
from wtb_async.domain.verdicts import standing, unit_of


def judge_rival(comparison: Comparison, keys: Collection[str]) -> Iterator[Finding]:
    """Look at the verdict of every combination that has a rival, on these scores.

    Args:
        comparison: of one batch test's combinations with one of them, or with another batch test.
        keys: the scores that count; one that nobody gave fails.
    """
    rival = rival_name(comparison)
    evaluators = {each.key: each for each in comparison.evaluators}
    for key in keys:
        if key in evaluators:
            yield from _judge_evaluator(evaluators[key], comparison, rival)
        else:
            there = ", ".join(evaluators)
            message = f"no evaluator gave a score {key!r}; there are: {there}"
            yield unanswered(_condition(key, rival), message)


def rival_name(comparison: Comparison) -> str:
    """What the combinations are compared with, in words."""
    if comparison.against is None:
        return combination_label(comparison.baseline)
    return batch_name(comparison.against.name)


def batch_name(name: str) -> str:
    """Another batch test in words."""
    return f"batch test {name!r}"


def unanswered(condition: str, message: str) -> Finding:
    """A comparison that cannot be made: it has failed."""
    return Finding(condition=condition, combination=None, outcome=Outcome.FAILED, message=message)


def _judge_evaluator(
    evaluator: EvaluatorComparison, comparison: Comparison, rival: str
) -> Iterator[Finding]:
    for cell in evaluator.cells:
        if _has_rival(cell.combination, comparison):
            yield _judge_cell(cell, evaluator, rival)


def _has_rival(combination: Combination, comparison: Comparison) -> bool:
    if comparison.against is None:
        return combination != comparison.baseline
    by_baselines = comparison.against.pairing is Pairing.BASELINES
    return combination == comparison.baseline or not by_baselines


def _judge_cell(cell: Cell, evaluator: EvaluatorComparison, rival: str) -> Finding:
    paired = cell.paired
    verdict = paired.verdict if paired else Verdict.NOT_ENOUGH_DATA
    return Finding(
        condition=_condition(evaluator.key, rival),
        combination=cell.combination,
        outcome=Outcome.DOUBTFUL
        if verdict is Verdict.NOT_ENOUGH_DATA
        else outcome(holds=verdict is Verdict.WORSE, cell=cell),
        message=_message(cell, evaluator),
        value=paired.mean if paired else None,
        interval=paired.interval if paired else None,
        n=paired.pairs if paired else None,
    )


def _message(cell: Cell, evaluator: EvaluatorComparison) -> str:
    paired = cell.paired
    if paired is None:
        return f"{Verdict.NOT_ENOUGH_DATA}: no test case has a score on both sides"
    if paired.verdict is Verdict.NOT_ENOUGH_DATA:
        return f"{paired.verdict}: {paired.pairs} of {evaluator.pairs_needed} paired test cases"
    side = standing(
        paired, higher_is_better=evaluator.higher_is_better, unit=unit_of(evaluator.key)
    )
    return f"{paired.verdict}: {side}; {paired.pairs} paired test cases{left_out(cell)}"


def _condition(key: str, rival: str) -> str:
    return f"{key} is worse than {rival}"
