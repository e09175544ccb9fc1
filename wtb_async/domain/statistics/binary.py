"""Scores that are yes or no: shares, with exact or slightly conservative methods at any size."""

import numpy as np
from scipy import special, stats

from wtb_async.domain.comparison import Effect, SignificanceTest
from wtb_async.domain.statistics.power import detectable_share
from wtb_async.domain.statistics.scores import ALPHA, Limits, Samples, including_zero


class BinaryScores:
    """Scores of 0 or 1, so that differences are -1, 0 or 1."""

    test = SignificanceTest.EXACT_MCNEMAR
    effect = Effect.ODDS_RATIO

    def cases_needed(self, comparisons: int) -> int:
        """So many that the exact test could decide if every case differed.

        With n cases its smallest p-value is 2 / 2**n, and Holm multiplies the smallest of a
        family by its size.
        """
        return int(np.ceil(np.log2(max(comparisons, 1) / ALPHA))) + 1

    def mean_limits(self, values: Samples) -> Limits:
        """The exact 95 % interval of a share (Clopper and Pearson, 1934); NaN for no case."""
        hits, misses = values.sum(axis=0), (1 - values).sum(axis=0)
        if len(values) == 0:
            return np.full_like(hits, np.nan), np.full_like(hits, np.nan)
        return _share_limits(hits, misses)

    def difference_limits(self, differences: Samples) -> Limits:
        """A 95 % interval of the difference of shares, conservative as the test it agrees with.

        Clopper and Pearson's limits of the shares of cases won and lost, recovered into one
        interval with the correlation that two shares of the same cases have: Zou and Donner
        (2008), Construction of Confidence Limits about Effect Measures, Statistics in Medicine
        27, 1693-1702.
        """
        wins, losses = _discordant(differences)
        cases = len(differences)
        won, lost = wins / cases, losses / cases
        won_low, won_high = _share_limits(wins, cases - wins)
        lost_low, lost_high = _share_limits(losses, cases - losses)
        neither = np.maximum((1 - won) * (1 - lost), 1e-12)
        opposed = np.sqrt(won * lost / neither)
        limits = (
            won - lost - _length(won - won_low, lost_high - lost, opposed),
            won - lost + _length(won_high - won, lost - lost_low, opposed),
        )
        return including_zero(limits, self.p_value(differences))

    def p_value(self, differences: Samples) -> Samples:
        """McNemar's exact test: a sign test of the cases that differ, two-sided.

        McNemar (1947), Note on the Sampling Error of the Difference between Correlated
        Proportions, Psychometrika 12, 153-157.
        """
        wins, losses = _discordant(differences)
        fewer = np.minimum(wins, losses)
        p_values: Samples = np.minimum(2 * stats.binom.cdf(fewer, wins + losses, 0.5), 1.0)
        return p_values

    def effect_size(self, differences: Samples) -> float | None:
        """The odds ratio of the cases that differ: won to lost, one half added to each.

        The halves keep it finite (Haldane, 1956). Above 1 the combination wins more cases.
        """
        wins, losses = _discordant(differences)
        return float((wins + 0.5) / (losses + 0.5)) if wins + losses else None

    def minimum_detectable(self, differences: Samples, *, comparisons: int) -> float | None:
        """The difference of shares found with a chance of 80 %, given how many cases differed."""
        differing = float(np.count_nonzero(differences)) / len(differences)
        return detectable_share(differing, len(differences), ALPHA / comparisons)


def _share_limits(hits: Samples, misses: Samples) -> Limits:
    # A beta distribution needs positive parameters; the ends of the scale are their own limits.
    low = special.betaincinv(np.maximum(hits, 1), misses + 1, ALPHA / 2)
    high = special.betaincinv(hits + 1, np.maximum(misses, 1), 1 - ALPHA / 2)
    return np.where(hits > 0, low, 0.0), np.where(misses > 0, high, 1.0)


def _length(one: Samples, other: Samples, opposed: Samples) -> Samples:
    """The length of the sum of two vectors whose angle has this cosine."""
    length: Samples = np.sqrt(one**2 + other**2 + 2 * opposed * one * other)
    return length


def _discordant(differences: Samples) -> tuple[Samples, Samples]:
    wins = np.count_nonzero(differences > 0, axis=0)
    losses = np.count_nonzero(differences < 0, axis=0)
    return np.asarray(wins, dtype=float), np.asarray(losses, dtype=float)
