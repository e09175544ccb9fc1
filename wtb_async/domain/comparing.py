"""From scored executions to a comparison, evaluator by evaluator."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

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
from wtb_async.domain.preferences import compare_preferences
from wtb_async.domain.statistics.kinds import statistics_for
from wtb_async.domain.statistics.scores import Samples, ScoreStatistics
from wtb_async.domain.verdicts import THE_BASELINE, overall_verdict, verdict_sentence
from wtb_async.domain.workflow import BASE_VARIANT

CombinationKey = tuple[tuple[str, str], ...]
RowsByCombination = Mapping[CombinationKey, Sequence[ScoredRow]]


@dataclass(frozen=True)
class Rivals:
    """What the combinations are compared with, and what sentences call it."""

    name: str
    rows: RowsByCombination
    of: Mapping[CombinationKey, CombinationKey]
    """The combination among these rows that each one is compared with; some have none."""

    def scores(self, key: str) -> dict[CombinationKey, CaseScores]:
        """The scores of every rival."""
        named = dict.fromkeys(self.of.values())
        return {each: _scores_per_case(self.rows.get(each, ()), key) for each in named}


def compare(
    rows: Iterable[ScoredRow],
    *,
    baseline: Combination,
    evaluator_order: Sequence[str] = (),
) -> Comparison:
    """Compare every combination of a batch test with its baseline, evaluator by evaluator.

    Args:
        rows: all executions of the batch; those still open are ignored.
        baseline: the combination that the others are compared with.
        evaluator_order: score keys that come first, the most important one in front. Others
            follow as they appear; latency comes last.
    """
    rows = list(rows)
    nodes = nodes_of(rows, baseline)
    grouped = group_rows(rows, nodes)
    reference = combination_key(baseline, nodes)
    others = {each: reference for each in grouped if each != reference}
    lower = lower_is_better(rows)
    evaluators = tuple(
        compare_on(
            key,
            grouped,
            Rivals(THE_BASELINE, grouped, others),
            higher_is_better=key not in lower,
        )
        for key in score_keys(rows, evaluator_order)
    )
    return Comparison(
        baseline=dict(reference),
        evaluators=evaluators,
        ranking=rank(grouped, evaluators),
        preferences=compare_preferences({each: grouped[each] for each in others}),
    )


def lower_is_better(rows: Iterable[ScoredRow]) -> set[str]:
    """The keys of scores of which less is better, as the rows say; that of latency always."""
    return {LATENCY, *(key for row in rows for key in row.lower_is_better)}


def nodes_of(rows: Iterable[ScoredRow], *baselines: Combination) -> set[str]:
    """Every node that is chosen for anywhere."""
    return {node for row in rows for node in row.combination}.union(*baselines)


def combination_key(combination: Combination, nodes: Iterable[str]) -> CombinationKey:
    """Make combinations that mean the same equal: an unnamed node is the original."""
    return tuple((node, combination.get(node, BASE_VARIANT)) for node in sorted(nodes))


def group_rows(rows: Iterable[ScoredRow], nodes: Collection[str]) -> RowsByCombination:
    """Sort rows by combination, and count latency among their scores."""
    grouped: dict[CombinationKey, list[ScoredRow]] = defaultdict(list)
    for row in rows:
        grouped[combination_key(row.combination, nodes)].append(_with_latency(row))
    return dict(grouped)


def _with_latency(row: ScoredRow) -> ScoredRow:
    if row.status != ExecutionStatus.COMPLETED:
        return replace(row, scores={}, preferences={})
    if row.duration_ms is None or LATENCY in row.scores:
        return row
    return replace(row, scores={**row.scores, LATENCY: row.duration_ms})


def score_keys(rows: Iterable[ScoredRow], first: Sequence[str]) -> list[str]:
    """The keys of all scores: those named first, then as they appear, then latency."""
    seen = dict.fromkeys(key for row in rows for key in row.scores)
    named = [key for key in dict.fromkeys(first) if key in seen and key != LATENCY]
    return [*named, *(key for key in seen if key not in {*named, LATENCY}), LATENCY]


def compare_on(
    key: str, grouped: RowsByCombination, rivals: Rivals, *, higher_is_better: bool
) -> EvaluatorComparison:
    """Compare combinations with their rivals on one evaluator."""
    scores = {each: _scores_per_case(rows, key) for each, rows in grouped.items()}
    values = {each: np.array(list(cases.values())) for each, cases in scores.items()}
    theirs = rivals.scores(key)
    statistics = statistics_for(_all_of([*scores.values(), *theirs.values()]))
    contests = {each: (scores[each], theirs[rival]) for each, rival in rivals.of.items()}
    paired = paired_differences(contests, statistics, higher_is_better=higher_is_better)
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
            key,
            cells,
            higher_is_better=higher_is_better,
            pairs_needed=needed,
            rival=rivals.name,
        ),
    )


def _all_of(scores: Iterable[CaseScores]) -> Samples:
    return np.array([value for cases in scores for value in cases.values()])


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


def rank(
    grouped: RowsByCombination, evaluators: Iterable[EvaluatorComparison]
) -> tuple[Combination, ...]:
    """Order the combinations by the first evaluator; the next ones decide ties."""
    merits: dict[CombinationKey, list[float]] = {each: [] for each in grouped}
    for evaluator in evaluators:
        for cell in evaluator.cells:
            merit = _merit(cell, higher_is_better=evaluator.higher_is_better)
            merits[combination_key(cell.combination, cell.combination)].append(merit)
    ranked = sorted(merits, key=lambda each: merits[each], reverse=True)
    return tuple(dict(each) for each in ranked)
