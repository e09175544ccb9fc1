"""Means of scores on a scale are estimated and compared by Student's t, guarded for skewness."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from wtb_async.domain.statistics.numeric import NumericScores
from wtb_async.domain.statistics.scores import Samples

NUMERIC = NumericScores()

steps = st.integers(-40, 40).map(lambda each: each / 8)
samples = st.integers(20, 60).flatmap(lambda cases: arrays(float, cases, elements=steps))


def mirrored(values: Samples) -> Samples:
    """Values and their opposites: symmetric around zero."""
    return np.concatenate([values, -values])


@given(samples, st.floats(-2, 2))
def test_symmetric_data_get_students_p_value_and_interval(values: Samples, centre: float) -> None:
    assume(np.ptp(values) > 0)
    sample = mirrored(values) + centre
    low, high = NUMERIC.mean_limits(sample)
    expected = stats.ttest_1samp(sample, 0.0)
    interval = expected.confidence_interval(0.95)
    assert (float(low), float(high)) == pytest.approx((interval.low, interval.high), abs=1e-9)
    floor = min(1.0, 2.0 ** (1 - np.count_nonzero(sample)))
    p_value = max(float(expected.pvalue), floor)
    assert float(NUMERIC.p_value(sample)) == pytest.approx(p_value, rel=1e-6, abs=1e-12)


def test_skewed_data_get_an_interval_that_solves_halls_cubic() -> None:
    sample = np.random.default_rng(5).exponential(size=40)
    size, mean, spread = 40, sample.mean(), sample.std(ddof=1)
    skewness = 1.3 * stats.skew(sample, bias=False)
    _, high = NUMERIC.mean_limits(sample)
    ratio = (mean - float(high)) / spread
    cubic = ratio + skewness * ratio**2 / 3 + skewness**2 * ratio**3 / 27 + skewness / (6 * size)
    assert cubic * np.sqrt(size) == pytest.approx(stats.t.ppf(0.025, size - 1))


@given(samples)
def test_the_guard_never_shows_more_than_students_t(values: Samples) -> None:
    assume(np.ptp(values) > 0)
    assert NUMERIC.p_value(values) >= stats.ttest_1samp(values, 0.0).pvalue - 1e-12


@given(samples)
def test_the_interval_excludes_zero_exactly_where_the_test_does(values: Samples) -> None:
    assume(np.ptp(values) > 0)
    p_value = float(NUMERIC.p_value(values))
    assume(abs(p_value - 0.05) > 1e-9)
    low, high = NUMERIC.difference_limits(values)
    assert (low > 0 or high < 0) == (p_value <= 0.05)


@given(samples)
def test_swapping_the_sides_turns_everything_round(values: Samples) -> None:
    assume(np.ptp(values) > 0)
    low, high = NUMERIC.difference_limits(values)
    mirrored_low, mirrored_high = NUMERIC.difference_limits(-values)
    assert (low, high) == pytest.approx((-mirrored_high, -mirrored_low))
    assert NUMERIC.p_value(values) == pytest.approx(NUMERIC.p_value(-values))
    both = [NUMERIC.effect_size(each) or np.nan for each in (values, -values)]
    assert both[0] == pytest.approx(-both[1], nan_ok=True)


@given(samples, st.sampled_from([1e-6, 0.3, 1e9]))
def test_another_unit_changes_the_interval_and_nothing_else(values: Samples, unit: float) -> None:
    assume(np.ptp(values) > 0)
    scaled = values * unit
    assert NUMERIC.p_value(scaled) == pytest.approx(NUMERIC.p_value(values))
    assert NUMERIC.effect_size(scaled) == pytest.approx(NUMERIC.effect_size(values))
    low, high = NUMERIC.difference_limits(values)
    assert NUMERIC.difference_limits(scaled) == pytest.approx((low * unit, high * unit))


@given(samples, st.integers(0, 99))
def test_the_order_of_the_cases_does_not_matter(values: Samples, seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(values)
    assert NUMERIC.p_value(shuffled) == pytest.approx(NUMERIC.p_value(values))
    assert NUMERIC.mean_limits(shuffled) == pytest.approx(NUMERIC.mean_limits(values), nan_ok=True)


@given(arrays(float, (20, 3), elements=steps))
def test_samples_side_by_side_are_treated_one_by_one(together: Samples) -> None:
    p_values = [NUMERIC.p_value(each) for each in together.T]
    assert NUMERIC.p_value(together) == pytest.approx(p_values)
    low, high = NUMERIC.difference_limits(together)
    alone = np.array([NUMERIC.difference_limits(each) for each in together.T]).T
    assert np.array([low, high]) == pytest.approx(alone, nan_ok=True)


def test_few_cases_that_differ_decide_nothing_however_alike_they_are() -> None:
    sample = np.repeat([0.5, 0.0], [4, 196])
    assert stats.ttest_1samp(sample, 0.0).pvalue < 0.05
    assert NUMERIC.p_value(sample) == pytest.approx(0.125)
    low, high = NUMERIC.difference_limits(sample)
    assert low == 0
    assert high > sample.mean()


def test_rounding_errors_do_not_make_a_difference() -> None:
    assert NUMERIC.p_value(np.array([0.1, 0.2, -0.3] * 10)) == pytest.approx(1.0)
    assert NUMERIC.effect_size(np.full(30, 0.1 + 0.2) - np.array([1e-17] * 30)) is None


def test_equal_values_have_no_interval_and_no_effect_size() -> None:
    equal = np.full(40, 3.0)
    assert np.isnan(NUMERIC.mean_limits(equal)).all()
    assert NUMERIC.effect_size(equal) is None
    assert NUMERIC.minimum_detectable(equal, comparisons=1) is None
    assert NUMERIC.p_value(equal) == pytest.approx(2.0**-39)
    assert NUMERIC.p_value(np.zeros(60)) == 1.0


def test_fewer_than_20_values_have_no_interval() -> None:
    values = np.random.default_rng(6).normal(size=20)
    assert np.isnan(NUMERIC.mean_limits(values[:19])).all()
    assert not np.isnan(NUMERIC.mean_limits(values)).any()


@pytest.mark.parametrize(("comparisons", "needed"), [(1, 20), (2, 30), (8, 50), (26, 68)])
def test_more_comparisons_need_more_cases(comparisons: int, needed: int) -> None:
    assert NUMERIC.cases_needed(comparisons) == needed


def test_the_detectable_difference_of_symmetric_data_is_found_four_times_in_five() -> None:
    differences = mirrored(np.arange(1.0, 26.0))
    detectable = NUMERIC.minimum_detectable(differences, comparisons=4)
    assert detectable is not None
    # The power of a t-test follows from the noncentral t distribution.
    shift = detectable / differences.std(ddof=1) * np.sqrt(50)
    power = stats.nct.sf(stats.t.ppf(1 - 0.05 / 8, 49), 49, shift)
    assert power == pytest.approx(0.8, abs=0.005)


def test_skewed_data_detect_only_larger_differences() -> None:
    symmetric = mirrored(np.arange(1.0, 26.0))
    skewed = np.exp(symmetric / 20)
    skewed *= symmetric.std() / skewed.std()
    both = [NUMERIC.minimum_detectable(each, comparisons=1) for each in (skewed, -skewed)]
    plain = NUMERIC.minimum_detectable(symmetric, comparisons=1)
    assert both[0] == pytest.approx(both[1])
    assert both[0] is not None
    assert plain is not None
    assert both[0] > 1.05 * plain
