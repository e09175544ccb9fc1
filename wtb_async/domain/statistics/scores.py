"""What every kind of score needs to be compared, and which kind a set of scores is."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from wtb_async.domain.comparison import Effect, SignificanceTest

Samples = NDArray[np.float64]
"""Axis 0 is the test cases; further axes, if any, hold independent samples."""

Limits = tuple[Samples, Samples]
"""The lower and the upper end of one interval for each sample, NaN where there is none."""

ALPHA: Final = 0.05
POWER: Final = 0.8


class ScoreStatistics(Protocol):
    """How scores of one kind are estimated, tested and planned for.

    Values are one per test case. Differences are combination minus baseline, case by case.
    """

    test: SignificanceTest
    effect: Effect

    def cases_needed(self, comparisons: int) -> int:
        """The fewest paired cases for a verdict when so many comparisons are made."""

    def mean_limits(self, values: Samples) -> Limits:
        """The 95 % interval of the mean."""

    def difference_limits(self, differences: Samples) -> Limits:
        """The 95 % interval of the mean difference; holds zero unless p is at most 0.05."""

    def p_value(self, differences: Samples) -> Samples:
        """The two-sided p-value of "the mean difference is zero"."""

    def effect_size(self, differences: Samples) -> float | None:
        """The size of the effect in one sample, None where the data do not show one."""

    def minimum_detectable(self, differences: Samples, *, comparisons: int) -> float | None:
        """The mean difference that as many cases as in this sample find with a chance of 80 %.

        In the unit of the score, at alpha divided by the number of comparisons; None where
        numeric scores show no spread and where no difference reaches that chance.
        """


def including_zero(limits: Limits, p_values: Samples) -> Limits:
    """Widen intervals up to zero where the test does not exclude it, so that the two agree."""
    low, high = limits
    undecided = p_values > ALPHA
    return (
        np.where(undecided, np.minimum(low, 0.0), low),
        np.where(undecided, np.maximum(high, 0.0), high),
    )
