"""Holds a gate against a batch test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.comparing import combination_key, compare, group_rows, nodes_of
from wtb_async.domain.comparing_batches import ComparedBatch, compare_batches
from wtb_async.domain.comparison import LATENCY, Comparison, combination_label
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.gate.gate import Finding, Gate, GateReport, Outcome, Rival
from wtb_async.domain.gate.rivals import batch_name, judge_rival, rival_name, unanswered
from wtb_async.domain.gate.score_conditions import judge_condition

COMPLETED = "the batch test has not completed"
"""The condition that every gate has."""


@dataclass(frozen=True, kw_only=True)
class JudgedBatch:
    """A batch test that has ended, with what a gate looks at."""

    side: ComparedBatch
    status: BatchStatus
    cancelled: int
    """Executions that were cancelled, about which nothing is known."""
    evaluator_order: Sequence[str]
    """The score keys of its evaluators, so far as they tell."""


def judge(gate: Gate, batch: JudgedBatch, others: Mapping[UUID, ComparedBatch]) -> GateReport:
    """Find out which conditions of a gate hold.

    Args:
        gate: what must not be true.
        batch: what it must not be true of.
        others: the other batch tests that the gate names.
    """
    findings = tuple(_findings(gate, batch, others))
    if gate.strict:
        findings = tuple(map(_without_doubt, findings))
    return GateReport(
        batch_test_id=batch.side.id,
        passed=all(each.outcome is not Outcome.FAILED for each in findings),
        findings=findings,
    )


def _without_doubt(finding: Finding) -> Finding:
    doubtful = finding.outcome is Outcome.DOUBTFUL
    return replace(finding, outcome=Outcome.FAILED) if doubtful else finding


def _findings(
    gate: Gate, batch: JudgedBatch, others: Mapping[UUID, ComparedBatch]
) -> Iterator[Finding]:
    yield _judge_end(batch)
    side = batch.side
    rows = group_rows(side.rows, nodes_of(side.rows, side.baseline))
    comparison = compare(side.rows, baseline=side.baseline, evaluator_order=batch.evaluator_order)
    for condition in gate.fail_if:
        yield from judge_condition(condition, comparison, rows)
    for rival in gate.worse_than:
        yield from _judge_rival(rival, gate, batch, others)


def _judge_end(batch: JudgedBatch) -> Finding:
    if batch.status is not BatchStatus.COMPLETED:
        outcome, message = Outcome.FAILED, f"it ended as {batch.status}"
    elif batch.cancelled:
        outcome, message = Outcome.DOUBTFUL, f"{batch.cancelled} executions were cancelled"
    else:
        outcome, message = Outcome.PASSED, "it has completed"
    return Finding(condition=COMPLETED, combination=None, outcome=outcome, message=message)


def _judge_rival(
    rival: Rival, gate: Gate, batch: JudgedBatch, others: Mapping[UUID, ComparedBatch]
) -> list[Finding]:
    try:
        comparison = _compare_with(rival, batch, others)
    except InvalidInput as error:
        name = (
            batch_name(others[rival].name) if isinstance(rival, UUID) else combination_label(rival)
        )
        return [unanswered(f"worse than {name}", each.message) for each in error.violations]
    keys = gate.scores or _keys_that_count(comparison, batch)
    if findings := list(judge_rival(comparison, keys)):
        return findings
    message = "there is no combination to compare it with" if keys else "there are no scores"
    return [unanswered(f"worse than {rival_name(comparison)}", message)]


def _compare_with(
    rival: Rival, batch: JudgedBatch, others: Mapping[UUID, ComparedBatch]
) -> Comparison:
    order = batch.evaluator_order
    if isinstance(rival, UUID):
        return compare_batches(batch.side, others[rival], evaluator_order=order)
    nodes = nodes_of(batch.side.rows, batch.side.baseline)
    there = group_rows(batch.side.rows, nodes)
    if not rival.keys() <= nodes or combination_key(rival, nodes) not in there:
        labels = "; ".join(combination_label(dict(each)) for each in there) or "none"
        raise InvalidInput.of("worse_than", f"no combination is like that; there are: {labels}")
    return compare(batch.side.rows, baseline=rival, evaluator_order=order)


def _keys_that_count(comparison: Comparison, batch: JudgedBatch) -> list[str]:
    """Latency is compared always, but counts only where it is an evaluator of the batch test."""
    keys = [each.key for each in comparison.evaluators]
    return [key for key in keys if key != LATENCY or key in batch.evaluator_order]
