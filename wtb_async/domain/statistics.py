"""The statistics behind a verdict: pure functions over arrays, the same answer every time."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from wtb_async.domain.comparison import Interval

Samples = NDArray[np.float64]

ALPHA = 0.05
_RESAMPLES = 9_999
_EXACT_UP_TO = 13
_SEED = 20_240_229
_ELEMENTS_AT_ONCE = 4_000_000
"""Resampling works in slices of this many numbers, so that large batches do not need gigabytes."""


def mean_interval(values: Samples) -> Interval | None:
    """Return the 95 % interval of the mean (BCa bootstrap), or None for fewer than two values.

    Bias-corrected and accelerated bootstrap: Efron (1987), Better Bootstrap Confidence Intervals.
    """
    if values.size < 2:  # noqa: PLR2004
        return None
    if np.ptp(values) == 0:
        return Interval(low=float(values[0]), high=float(values[0]))
    interval = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=_slice_length(values.size),
        confidence_level=1 - ALPHA,
        method="BCa",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(low=float(interval.low), high=float(interval.high))


def sign_flip_p_value(differences: Samples, *, comparisons: int = 1) -> float:
    """Return the two-sided p-value of "the mean difference is zero" by flipping signs.

    Exact up to 13 non-zero differences; beyond that Monte Carlo with the observed data counted
    in (Phipson and Smyth, 2010, Permutation P-values Should Never Be Zero). `comparisons` is the
    size of the family that the value is corrected for later: more need a finer resolution.
    """
    # A zero stays zero under either sign, so leaving it out changes nothing but the cost.
    moving = differences[differences != 0]
    if moving.size == 0:
        return 1.0
    # Sums that are equal on paper may differ in their last bits.
    threshold = abs(moving.sum()) - 1e-12 * np.abs(moving).sum()
    if moving.size <= _EXACT_UP_TO:
        return float(np.mean(np.abs(_every_sign(moving.size) @ moving) >= threshold))
    resamples = max(_RESAMPLES, 200 * comparisons)
    extreme = sum(
        int(np.count_nonzero(np.abs(signs @ moving) >= threshold))
        for signs in _random_signs(resamples, moving.size)
    )
    return (extreme + 1) / (resamples + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number (Holm, 1979); the order is kept."""
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=float)[order] * np.arange(count, 0, -1)
    corrected = np.empty(count)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in corrected]


def pairs_needed(comparisons: int) -> int:
    """Return how many pairs could reach significance at all when so many comparisons are made.

    With n pairs the smallest two-sided sign-flip p-value is 2 / 2**n, and Holm multiplies the
    smallest of a family by its size.
    """
    return int(np.ceil(np.log2(max(comparisons, 1) / ALPHA))) + 1


def _every_sign(length: int) -> Samples:
    rows = np.arange(2**length)[:, np.newaxis]
    bits = (rows >> np.arange(length)) & 1
    return (2 * bits - 1).astype(np.float64)


def _random_signs(rows: int, length: int) -> Iterator[Samples]:
    generator = np.random.default_rng(_SEED)
    step = _slice_length(length)
    for start in range(0, rows, step):
        size = (min(step, rows - start), length)
        bits = generator.integers(0, 2, size=size, dtype=np.int8)
        yield (2 * bits - 1).astype(np.float64)


def _slice_length(length: int) -> int:
    return max(1, _ELEMENTS_AT_ONCE // length)
