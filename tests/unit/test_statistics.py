"""The statistics answer what the textbooks and scipy answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wtb_async.domain.comparison import Interval
from wtb_async.domain.statistics import holm, mean_interval, pairs_needed, sign_flip_p_value


def scipy_sign_flip(differences: list[float], resamples: int) -> float:
    return float(
        stats.permutation_test(
            (np.array(differences),),
            np.sum,
            permutation_type="samples",
            n_resamples=resamples,
            rng=np.random.default_rng(7),
        ).pvalue
    )


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=8))
def test_the_exact_p_value_is_scipys(differences: list[int]) -> None:
    ours = sign_flip_p_value(np.array(differences, dtype=float))
    # scipy doubles the smaller tail, which may pass 1 or count the centre twice.
    assert ours == pytest.approx(min(1.0, scipy_sign_flip([*map(float, differences)], 2**9)))


def test_the_monte_carlo_p_value_is_close_to_scipys() -> None:
    differences = np.random.default_rng(3).normal(0.4, 1, size=30)
    ours = sign_flip_p_value(differences)
    assert ours == pytest.approx(scipy_sign_flip(list(differences), 19_999), abs=0.01)


def test_the_same_data_always_give_the_same_p_value() -> None:
    differences = np.random.default_rng(4).normal(0.1, 1, size=40)
    assert sign_flip_p_value(differences) == sign_flip_p_value(differences)


def test_identical_scores_show_no_difference() -> None:
    assert sign_flip_p_value(np.zeros(60)) == 1.0


def test_rounding_errors_do_not_make_a_difference() -> None:
    assert sign_flip_p_value(np.array([0.1, 0.2, -0.3])) == 1.0


def test_a_large_family_can_still_be_significant() -> None:
    p_value = sign_flip_p_value(np.ones(60), comparisons=1_000)
    assert holm([p_value] * 1_000)[0] < 0.05


def test_holm_multiplies_the_smallest_by_the_number_of_comparisons() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_corrected_p_value_is_never_smaller(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, corrected, strict=True))
    assert max(corrected) <= 1.0


@pytest.mark.parametrize("comparisons", [1, 2, 8, 100])
def test_pairs_needed_is_the_smallest_number_that_can_decide(comparisons: int) -> None:
    needed = pairs_needed(comparisons)
    assert sign_flip_p_value(np.ones(needed)) * comparisons <= 0.05
    assert sign_flip_p_value(np.ones(needed - 1)) * comparisons > 0.05


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(11)
    samples = generator.exponential(1.0, size=(150, 40))
    covered = sum(
        interval.low <= 1.0 <= interval.high
        for interval in map(mean_interval, samples)
        if interval is not None
    )
    assert covered >= 0.87 * len(samples)


def test_the_interval_of_equal_values_is_that_value() -> None:
    assert mean_interval(np.ones(5)) == Interval(low=1.0, high=1.0)


def test_one_value_has_no_interval() -> None:
    assert mean_interval(np.ones(1)) is None
