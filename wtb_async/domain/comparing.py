"""From scored executions to a comparison."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from wtb_async.domain.comparison import (
    LATENCY,
    Cell,
    Combination,
    Comparison,
    EvaluatorComparison,
    PairedDifference,
    ScoredRow,
)
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.pairing import CaseScores, interval_between, paired_differences
from wtb_async.domain.statistics.kinds import statistics_for
from wtb_async.domain.statistics.scores import Samples, ScoreStatistics
from wtb_async.domain.verdicts import overall_verdict, verdict_sentence
from wtb_async.domain.workflow import BASE_VARIANT

CombinationKey = tuple[tuple[str, str], ...]
RowsByCombination = Mapping[CombinationKey, Sequence[ScoredRow]]


def compare(
    rows: Iterable[ScoredRow],
    *,
    baseline: Combination,
    evaluator_order: Sequence[str] = (),
    lower_is_better: Collection[str] = (LATENCY,),
) -> Comparison:
    """Compare every combination of a batch test with its baseline, evaluator by evaluator.

    Args:
        rows: all executions of the batch; those still open are ignored.
        baseline: the combination that the others are compared with.
        evaluator_order: score keys that come first, the most important one in front. Others
            follow as they appear; latency comes last.
        lower_is_better: keys of scores where a smaller value wins.
    """
    rows = list(rows)
    nodes = {node for row in rows for node in row.combination} | set(baseline)
    grouped = _group(rows, nodes)
    reference = _key(baseline, nodes)
    evaluators = tuple(
        _compare_on(key, grouped, reference, higher_is_better=key not in lower_is_better)
        for key in _score_keys(rows, evaluator_order)
    )
    return Comparison(
        baseline=dict(reference), evaluators=evaluators, ranking=_rank(grouped, evaluators)
    )


def _key(combination: Combination, nodes: Iterable[str]) -> CombinationKey:
    """Make combinations that mean the same equal: an unnamed node is the original."""
    return tuple((node, combination.get(node, BASE_VARIANT)) for node in sorted(nodes))


def _group(rows: Iterable[ScoredRow], nodes: Collection[str]) -> RowsByCombination:
    grouped: dict[CombinationKey, list[ScoredRow]] = defaultdict(list)
    for row in rows:
        grouped[_key(row.combination, nodes)].append(_with_latency(row))
    return grouped


def _with_latency(row: ScoredRow) -> ScoredRow:
    if row.status != ExecutionStatus.COMPLETED:
        return replace(row, scores={})
    if row.duration_ms is None or LATENCY in row.scores:
        return row
    return replace(row, scores={**row.scores, LATENCY: row.duration_ms})


def _score_keys(rows: Iterable[ScoredRow], first: Sequence[str]) -> list[str]:
    seen = dict.fromkeys(key for row in rows for key in row.scores)
    named = [key for key in dict.fromkeys(first) if key in seen and key != LATENCY]
    return [*named, *(key for key in seen if key not in {*named, LATENCY}), LATENCY]


def _compare_on(
    key: str, grouped: RowsByCombination, reference: CombinationKey, *, higher_is_better: bool
) -> EvaluatorComparison:
    scores = {each: _scores_per_case(rows, key) for each, rows in grouped.items()}
    values = {each: np.array(list(cases.values())) for each, cases in scores.items()}
    statistics = statistics_for(np.concatenate([np.empty(0), *values.values()]))
    rivals = {each: cases for each, cases in scores.items() if each != reference}
    paired = paired_differences(
        rivals, scores.get(reference, {}), statistics, higher_is_better=higher_is_better
    )
    cells = [
        _cell(dict(each), key, rows, values[each], statistics, paired.get(each))
        for each, rows in grouped.items()
    ]
    cells.sort(key=lambda cell: _merit(cell, higher_is_better=higher_is_better), reverse=True)
    needed = statistics.cases_needed(len(paired))
    return EvaluatorComparison(
        key=key,
        higher_is_better=higher_is_better,
        test=statistics.test,
        effect=statistics.effect,
        pairs_needed=needed,
        cells=tuple(cells),
        verdict=overall_verdict(cells),
        sentence=verdict_sentence(
            key, cells, higher_is_better=higher_is_better, pairs_needed=needed
        ),
    )


def _scores_per_case(rows: Iterable[ScoredRow], key: str) -> CaseScores:
    """Average the repetitions of each test case: they are not independent evidence."""
    scores: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if key in row.scores:
            scores[row.test_case_id].append(float(row.scores[key]))
    return {case: sum(values) / len(values) for case, values in scores.items()}


def _cell(
    combination: Combination,
    key: str,
    rows: Iterable[ScoredRow],
    values: Samples,
    statistics: ScoreStatistics,
    paired: PairedDifference | None,
) -> Cell:
    return Cell(
        combination=combination,
        n=values.size,
        mean=float(values.mean()) if values.size else None,
        spread=float(values.std(ddof=1)) if values.size > 1 else None,
        interval=interval_between(statistics.mean_limits(values)),
        paired=paired,
        failures=sum(row.status == ExecutionStatus.FAILED for row in rows),
        unscored=sum(
            row.status == ExecutionStatus.COMPLETED and key not in row.scores for row in rows
        ),
    )


def _merit(cell: Cell, *, higher_is_better: bool) -> float:
    if cell.mean is None:
        return -np.inf
    return cell.mean if higher_is_better else -cell.mean


def _rank(
    grouped: RowsByCombination, evaluators: Iterable[EvaluatorComparison]
) -> tuple[Combination, ...]:
    merits: dict[CombinationKey, list[float]] = {each: [] for each in grouped}
    for evaluator in evaluators:
        for cell in evaluator.cells:
            merit = _merit(cell, higher_is_better=evaluator.higher_is_better)
            merits[_key(cell.combination, cell.combination)].append(merit)
    ranked = sorted(merits, key=lambda each: merits[each], reverse=True)
    return tuple(dict(each) for each in ranked)
