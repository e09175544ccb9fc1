"""Combinations against their rivals, paired by test case, on one evaluator."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from wtb_async.domain.comparison import Interval, PairedDifference, Verdict
from wtb_async.domain.statistics.families import holm
from wtb_async.domain.statistics.scores import ALPHA, Limits, Samples, ScoreStatistics

CaseScores = Mapping[str, float]
"""One score for each test case, by its id: the mean over the repetitions."""

_ROUNDING = 1e-12

_Key = TypeVar("_Key")


def paired_differences(
    contests: Mapping[_Key, tuple[CaseScores, CaseScores]],
    statistics: ScoreStatistics,
    *,
    higher_is_better: bool,
) -> dict[_Key, PairedDifference]:
    """Compare each combination with its rival on the test cases that both have a score for.

    A combination that shares no test case is left out; the p-values of the others are corrected
    for their number.

    Args:
        contests: the scores of each combination, and those of its rival.
        statistics: how scores of their kind are compared.
        higher_is_better: whether a larger score wins.
    """
    samples = {
        each: _differences(own, rival)
        for each, (own, rival) in contests.items()
        if not own.keys().isdisjoint(rival)
    }
    needed = statistics.cases_needed(len(samples))
    raw = {
        each: float(statistics.p_value(sample))
        for each, sample in samples.items()
        if sample.size >= needed
    }
    corrected = dict(zip(raw, holm(list(raw.values())), strict=True))
    return {
        each: PairedDifference(
            pairs=sample.size,
            mean=(mean := float(sample.mean())),
            interval=interval_between(statistics.difference_limits(sample)),
            p_value=raw.get(each),
            p_corrected=corrected.get(each),
            effect_size=statistics.effect_size(sample),
            minimum_detectable=statistics.minimum_detectable(sample, comparisons=len(samples))
            if each in raw
            else None,
            verdict=_verdict(mean if higher_is_better else -mean, corrected.get(each)),
        )
        for each, sample in samples.items()
    }


def interval_between(limits: Limits) -> Interval | None:
    """Return one sample's interval, None where there is none."""
    low, high = map(float, limits)
    return None if np.isnan(low) else Interval(low=low, high=high)


def _differences(own: CaseScores, rival: CaseScores) -> Samples:
    shared = [case for case in own if case in rival]
    ours = np.array([own[case] for case in shared])
    theirs = np.array([rival[case] for case in shared])
    # Means over the same repetitions in another order may differ in their last bits.
    same = np.isclose(ours, theirs, rtol=_ROUNDING, atol=0.0)
    return np.where(same, 0.0, ours - theirs)


def _verdict(gain: float, p_corrected: float | None) -> Verdict:
    if p_corrected is None:
        return Verdict.NOT_ENOUGH_DATA
    if p_corrected > ALPHA:
        return Verdict.NO_DIFFERENCE
    return Verdict.BETTER if gain > 0 else Verdict.WORSE
