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
    Verdict,
)
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.statistics import (
    ALPHA,
    Samples,
    holm,
    mean_interval,
    pairs_needed,
    sign_flip_p_value,
)
from wtb_async.domain.verdicts import overall_verdict, verdict_sentence
from wtb_async.domain.workflow import BASE_VARIANT

CombinationKey = tuple[tuple[str, str], ...]
RowsByCombination = Mapping[CombinationKey, Sequence[ScoredRow]]
CaseScores = Mapping[str, float]


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
    paired = _paired_differences(scores, reference, higher_is_better=higher_is_better)
    cells = [
        _cell(dict(each), key, rows, scores[each], paired.get(each))
        for each, rows in grouped.items()
    ]
    cells.sort(key=lambda cell: _merit(cell, higher_is_better=higher_is_better), reverse=True)
    return EvaluatorComparison(
        key=key,
        higher_is_better=higher_is_better,
        cells=tuple(cells),
        verdict=overall_verdict(cells),
        sentence=verdict_sentence(key, cells, higher_is_better=higher_is_better),
    )


def _scores_per_case(rows: Iterable[ScoredRow], key: str) -> CaseScores:
    """Average the repetitions of each test case: they are not independent evidence."""
    scores: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if key in row.scores:
            scores[row.test_case_id].append(float(row.scores[key]))
    return {case: sum(values) / len(values) for case, values in scores.items()}


def _paired_differences(
    scores: Mapping[CombinationKey, CaseScores],
    reference: CombinationKey,
    *,
    higher_is_better: bool,
) -> dict[CombinationKey, PairedDifference]:
    baseline = scores.get(reference, {})
    differences = {
        each: np.array([own[case] - baseline[case] for case in own if case in baseline])
        for each, own in scores.items()
        if each != reference and not own.keys().isdisjoint(baseline)
    }
    needed = pairs_needed(len(differences))
    raw = {
        each: sign_flip_p_value(values, comparisons=len(differences))
        for each, values in differences.items()
        if values.size >= needed
    }
    corrected = dict(zip(raw, holm(list(raw.values())), strict=True))
    return {
        each: _difference(
            values, raw.get(each), corrected.get(each), higher_is_better=higher_is_better
        )
        for each, values in differences.items()
    }


def _difference(
    values: Samples,
    p_value: float | None,
    p_corrected: float | None,
    *,
    higher_is_better: bool,
) -> PairedDifference:
    mean = float(values.mean())
    return PairedDifference(
        pairs=values.size,
        mean=mean,
        interval=mean_interval(values),
        p_value=p_value,
        p_corrected=p_corrected,
        verdict=_verdict(mean if higher_is_better else -mean, p_corrected),
    )


def _verdict(gain: float, p_corrected: float | None) -> Verdict:
    if p_corrected is None:
        return Verdict.NOT_ENOUGH_DATA
    if p_corrected > ALPHA:
        return Verdict.NO_DIFFERENCE
    return Verdict.BETTER if gain > 0 else Verdict.WORSE


def _cell(
    combination: Combination,
    key: str,
    rows: Iterable[ScoredRow],
    scores: CaseScores,
    paired: PairedDifference | None,
) -> Cell:
    values = np.array(list(scores.values()), dtype=float)
    return Cell(
        combination=combination,
        n=values.size,
        mean=float(values.mean()) if values.size else None,
        spread=float(values.std(ddof=1)) if values.size > 1 else None,
        interval=mean_interval(values),
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
