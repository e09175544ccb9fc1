"""Conditions on the scores of a batch test, combination by combination."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wtb_async.domain.comparing import CombinationKey, RowsByCombination
from wtb_async.domain.comparison import (
    LATENCY,
    Cell,
    Combination,
    Comparison,
    ScoredRow,
    combination_label,
)
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.gate.condition import Condition, FailureCount, ScoreMeasure, Summary
from wtb_async.domain.gate.gate import Finding, Outcome
from wtb_async.domain.gate.left_out import left_out, outcome
from wtb_async.domain.verdicts import unit_of

_LATENCY_NAME = "latency"


@dataclass(frozen=True)
class Column:
    """The scores of one combination under one key, and the cell that a comparison made of them."""

    key: str
    cell: Cell
    values: Sequence[float]


def judge_condition(
    condition: Condition, comparison: Comparison, rows: RowsByCombination
) -> Iterator[Finding]:
    """Hold a condition against every combination that it chooses.

    A condition that cannot be answered, because no combination is like that or nothing has such a
    score, has failed: a typing error must not pass.
    """
    chosen = {each: own for each, own in rows.items() if _is_chosen(each, condition.choices)}
    if not chosen:
        there = "; ".join(combination_label(dict(each)) for each in rows) or "none"
        yield _unanswered(condition, None, f"no combination is like that; there are: {there}")
    elif isinstance(condition.measure, FailureCount):
        for each, own in chosen.items():
            yield _judge_failures(condition, dict(each), own)
    else:
        yield from _judge_scores(condition, condition.measure, comparison, chosen)


def _is_chosen(combination: CombinationKey, choices: Mapping[str, str]) -> bool:
    return choices.items() <= dict(combination).items()


def _judge_failures(
    condition: Condition, combination: Combination, rows: Sequence[ScoredRow]
) -> Finding:
    failed = sum(row.status == ExecutionStatus.FAILED for row in rows)
    holds = condition.operator.holds(failed, condition.limit)
    return Finding(
        condition=str(condition),
        combination=combination,
        outcome=Outcome.FAILED if holds else Outcome.PASSED,
        message=f"{failed} of {len(rows)} executions failed",
        value=failed,
        n=len(rows),
    )


def _judge_scores(
    condition: Condition, measure: ScoreMeasure, comparison: Comparison, chosen: RowsByCombination
) -> Iterator[Finding]:
    cells = {each.key: each.cells for each in comparison.evaluators}
    key = LATENCY if measure.key == _LATENCY_NAME and measure.key not in cells else measure.key
    if key not in cells:
        message = f"no evaluator gave a score {measure.key!r}; there are: {', '.join(cells)}"
        yield _unanswered(condition, None, message)
        return
    for cell in cells[key]:
        own = chosen.get(tuple(sorted(cell.combination.items())))
        if own is not None:
            values = [float(row.scores[key]) for row in own if key in row.scores]
            yield _judge_column(condition, measure, Column(key, cell, values))


def _judge_column(condition: Condition, measure: ScoreMeasure, column: Column) -> Finding:
    cell, unit = column.cell, unit_of(column.key)
    value = _summarise(measure, column)
    if value is None:
        message = f"no execution has a score {measure.key!r}{left_out(cell)}"
        return _unanswered(condition, cell.combination, message)
    holds = condition.operator.holds(value, condition.limit)
    is_mean = measure.summary is Summary.MEAN
    return Finding(
        condition=str(condition),
        combination=cell.combination,
        outcome=outcome(holds=holds, cell=cell),
        message=f"{measure} is {_number(value)}{unit} ({_sample(measure, column)}), "
        f"{_distance(value, condition.limit, unit)}{left_out(cell)}",
        value=value,
        interval=cell.interval if is_mean else None,
        n=cell.n if is_mean else len(column.values),
    )


def _summarise(measure: ScoreMeasure, column: Column) -> float | None:
    if not column.values:
        return None
    match measure.summary:
        case Summary.MEAN:
            return column.cell.mean
        case Summary.MIN:
            return min(column.values)
        case Summary.MAX:
            return max(column.values)
        case Summary.PERCENTILE:
            place = math.ceil(len(column.values) * measure.percent / 100)
            return sorted(column.values)[place - 1]


def _sample(measure: ScoreMeasure, column: Column) -> str:
    if measure.summary is not Summary.MEAN:
        return f"{len(column.values)} executions"
    within = column.cell.interval
    if within is None:
        return f"{column.cell.n} cases"
    interval = f"{_number(within.low)} to {_number(within.high)}"
    return f"{column.cell.n} cases, 95 % interval {interval}"


def _distance(value: float, limit: float, unit: str) -> str:
    if value == limit:
        return f"just {_number(limit)}"
    side = "above" if value > limit else "below"
    return f"{_number(abs(value - limit))}{unit} {side} {_number(limit)}"


def _number(value: float) -> str:
    """Four digits, more only before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004


def _unanswered(condition: Condition, combination: Combination | None, message: str) -> Finding:
    return Finding(
        condition=str(condition),
        combination=combination,
        outcome=Outcome.FAILED,
        message=message,
    )
