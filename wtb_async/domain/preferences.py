"""Preferences between each combination and the baseline, case by case."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from wtb_async.domain.comparison import (
    Interval,
    PairedDifference,
    PreferenceCell,
    PreferenceComparison,
    ScoredRow,
)
from wtb_async.domain.pairing import CaseScores, paired_differences
from wtb_async.domain.statistics.binary import BinaryScores
from wtb_async.domain.verdicts import overall_verdict, preference_sentence

TIE: Final = 0.5

_Key = TypeVar("_Key", bound=Hashable)


def compare_preferences(
    rows: Mapping[_Key, Sequence[ScoredRow]],
) -> tuple[PreferenceComparison, ...]:
    """What each pairwise evaluator preferred, for all combinations but the baseline.

    A case is won, lost or tied, by the mean over its repetitions. Wins and losses are compared by
    the exact sign test, which is McNemar's test on the cases that differ.
    """
    keys = dict.fromkeys(key for found in rows.values() for row in found for key in row.preferences)
    return tuple(_compare_on(key, rows) for key in keys)


def _compare_on(key: str, rows: Mapping[_Key, Sequence[ScoredRow]]) -> PreferenceComparison:
    statistics = BinaryScores()
    signs = {each: _sign_of_each_case(found, key) for each, found in rows.items()}
    nothing = {case: 0.0 for cases in signs.values() for case in cases}
    matches = {each: (cases, nothing) for each, cases in signs.items()}
    paired = paired_differences(matches, statistics, higher_is_better=True)
    cells = [
        _cell(rows[each][0], signs[each].values(), difference)
        for each, difference in paired.items()
    ]
    cells.sort(key=lambda cell: cell.rate, reverse=True)
    needed = statistics.cases_needed(len(cells))
    return PreferenceComparison(
        key=key,
        test=statistics.test,
        pairs_needed=needed,
        cells=tuple(cells),
        verdict=overall_verdict(cells),
        sentence=preference_sentence(key, cells, needed),
    )


def _sign_of_each_case(rows: Iterable[ScoredRow], key: str) -> CaseScores:
    """1 for a case that is won, -1 for one that is lost, 0 for a tie."""
    preferences: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if key in row.preferences:
            preferences[row.test_case_id].append(row.preferences[key])
    means = {case: sum(given) / len(given) for case, given in preferences.items()}
    return {case: float(mean > TIE) - float(mean < TIE) for case, mean in means.items()}


def _cell(row: ScoredRow, signs: Iterable[float], paired: PairedDifference) -> PreferenceCell:
    signs = list(signs)
    within = paired.interval
    return PreferenceCell(
        combination=row.combination,
        won=signs.count(1.0),
        lost=signs.count(-1.0),
        tied=signs.count(0.0),
        rate=_as_rate(paired.mean),
        interval=within and Interval(low=_as_rate(within.low), high=_as_rate(within.high)),
        paired=paired,
    )


def _as_rate(difference: float) -> float:
    """The share of cases won, a tie counting half, from the share won less the share lost."""
    return (1 + difference) / 2
