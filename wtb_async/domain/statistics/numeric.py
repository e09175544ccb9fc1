"""Scores on a scale: the mean, with an interval and a test that hold for skewed data too.

Student's t is right for symmetric data and conservative under heavy tails, but sees too much in
skewed data. Hall's transformation corrects for skewness and loses accuracy under heavy tails. Each
end of an interval is the wider of the two, and the p-value the larger.

Hall (1992), On the Removal of Skewness by Transformation, Journal of the Royal Statistical Society
B 54, 221-228.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from wtb_async.domain.comparison import Effect, SignificanceTest
from wtb_async.domain.statistics.scores import ALPHA, POWER, Limits, Samples, including_zero

_CASES_FOR_ONE_COMPARISON = 20
_CASES_PER_DOUBLING = 10
_SKEWNESS_MARGIN = 1.3
"""A sample shows less skewness than its population has; chosen by benchmarks/calibration.py."""
_ROUNDING = 1e-12


class NumericScores:
    """Scores on any scale, and shares of repetitions."""

    test = SignificanceTest.SKEWNESS_GUARDED_T
    effect = Effect.D_Z

    def cases_needed(self, comparisons: int) -> int:
        """20 for one comparison and 10 more for every doubling: rare tails need more data."""
        doublings = np.log2(max(comparisons, 1))
        return _CASES_FOR_ONE_COMPARISON + int(np.ceil(_CASES_PER_DOUBLING * doublings))

    def mean_limits(self, values: Samples) -> Limits:
        """The 95 % interval of the mean, in the score's unit.

        NaN for fewer cases than one comparison needs and for values that are all the same.
        """
        if len(values) < self.cases_needed(1):
            return np.full(values.shape[1:], np.nan), np.full(values.shape[1:], np.nan)
        sample = _describe(values)
        lower, upper = _error_quantiles(sample, ALPHA / 2)
        spread = np.where(sample.spread > 0, sample.spread, np.nan)
        return sample.mean - spread * upper, sample.mean - spread * lower

    def difference_limits(self, differences: Samples) -> Limits:
        """The same for differences, and never without zero where the test finds nothing."""
        return including_zero(self.mean_limits(differences), self.p_value(differences))

    def p_value(self, differences: Samples) -> Samples:
        """The larger of Student's and Hall's p-value, two-sided; needs two cases.

        Never below what flipping the signs of m non-zero differences can reach, 2 / 2**m: few
        cases that differ are weak evidence however alike they are.
        """
        sample = _describe(differences)
        ratio = sample.mean / np.where(sample.spread > 0, sample.spread, 1.0)
        distance = np.sqrt(sample.size) * np.minimum(
            np.abs(ratio), np.sign(ratio) * _hall(ratio, sample)
        )
        tails: Samples = 2 * special.stdtr(sample.size - 1, -np.maximum(distance, 0.0))
        floor: Samples = np.minimum(2.0 ** (1 - np.count_nonzero(differences, axis=0)), 1.0)
        return np.maximum(np.where(sample.spread > 0, tails, 0.0), floor)

    def effect_size(self, differences: Samples) -> float | None:
        """Cohen's d_z: the mean difference in standard deviations of the differences.

        Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, section 2.3.5.
        """
        sample = _describe(differences)
        return float(sample.mean / sample.spread) if sample.spread > 0 else None

    def minimum_detectable(self, differences: Samples, *, comparisons: int) -> float | None:
        """The mean difference found with a chance of 80 %, given the spread and skewness seen.

        For symmetric data (t[1 - alpha/2] + t[0.8]) * spread / sqrt(n): Bloom (1995), Minimum
        Detectable Effects, Evaluation Review 19, 547-556. For skewed data the direction in which
        a difference is harder to find counts.
        """
        sample = _describe(differences)
        lower, upper = _error_quantiles(sample, ALPHA / comparisons / 2)
        unlucky_low, unlucky_high = _error_quantiles(sample, 1 - POWER)
        harder = np.maximum(upper - unlucky_low, unlucky_high - lower)
        return float(sample.spread * harder) if sample.spread > 0 else None


@dataclass(frozen=True)
class _Sample:
    """Its moments; spread and skewness are zero where all values are the same."""

    size: int
    mean: Samples
    spread: Samples
    skewness: Samples


def _describe(values: Samples) -> _Sample:
    size = len(values)
    mean = values.mean(axis=0)
    centred = values - mean
    largest = np.abs(centred).max(axis=0)
    # Values that are equal on paper may differ in their last bits.
    varied = largest > _ROUNDING * np.abs(mean)
    shape = centred / np.where(varied, largest, 1.0)
    square = np.where(varied, (shape**2).mean(axis=0), 1.0)
    skewness = (shape**3).mean(axis=0) / square**1.5 * _skewness_factor(size)
    spread = largest * np.sqrt(square * size / max(size - 1, 1))
    return _Sample(size, mean, np.where(varied, spread, 0.0), np.where(varied, skewness, 0.0))


def _skewness_factor(size: int) -> float:
    """Correct the bias of the sample's skewness (Joanes and Gill, 1998), with a margin."""
    return _SKEWNESS_MARGIN * float(np.sqrt(size * (size - 1)) / max(size - 2, 1))


def _error_quantiles(sample: _Sample, tail: float) -> Limits:
    """How far below and above the truth a mean falls with this chance each, in spreads.

    The farther one of Student's and Hall's answers.
    """
    reach = -special.stdtrit(sample.size - 1, tail) / np.sqrt(sample.size)
    lower = np.minimum(-reach, _hall_inverse(-reach, sample))
    return lower, np.maximum(reach, _hall_inverse(reach, sample))


def _hall(ratio: Samples, sample: _Sample) -> Samples:
    """Hall's cubic of (mean - true mean) / spread, which removes the effect of skewness."""
    skewness = sample.skewness
    cubic = ratio + skewness * ratio**2 / 3 + skewness**2 * ratio**3 / 27
    return cubic + skewness / (6 * sample.size)


def _hall_inverse(transformed: float, sample: _Sample) -> Samples:
    """Solve Hall's cubic, in a form that loses no digits where the skewness is small."""
    skewness = sample.skewness
    rest = transformed - skewness / (6 * sample.size)
    root: Samples = np.cbrt(1 + skewness * rest)
    return 3 * rest / (root**2 + root + 1)
