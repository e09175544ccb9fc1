"""Shares of yes-or-no scores are estimated and compared as the textbooks do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wtb_async.domain.statistics.binary import BinaryScores
from wtb_async.domain.statistics.scores import Samples

BINARY = BinaryScores()

counts = st.integers(0, 40)


def differing(wins: int, losses: int, ties: int = 0) -> Samples:
    return np.repeat([1.0, -1.0, 0.0], [wins, losses, ties])


@given(counts, counts, counts)
def test_the_p_value_is_scipys_exact_sign_test(wins: int, losses: int, ties: int) -> None:
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert float(BINARY.p_value(differing(wins, losses, ties))) == pytest.approx(expected)


@pytest.mark.parametrize("cases", [2, 5, 9])
def test_the_false_positives_are_at_most_5_percent_in_every_enumerated_outcome(cases: int) -> None:
    every_sign = np.array(np.meshgrid(*[[-1.0, 1.0]] * cases)).reshape(cases, -1)
    assert np.mean(BINARY.p_value(every_sign) <= 0.05) <= 0.05


@given(st.integers(1, 60), st.data())
def test_the_interval_of_a_share_is_scipys_exact_one(cases: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, cases))
    low, high = BINARY.mean_limits(np.repeat([1.0, 0.0], [hits, cases - hits]))
    expected = stats.binomtest(hits, cases).proportion_ci(0.95, method="exact")
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("rates", "cases"),
    [((0.2, 0.0), 20), ((0.1, 0.02), 50), ((0.7, 0.3), 50), ((0.1, 0.0), 60)],
)
def test_the_interval_of_a_difference_covers_when_every_outcome_is_counted(
    rates: tuple[float, float], cases: int
) -> None:
    outcomes = [(won, lost) for won in range(cases + 1) for lost in range(cases + 1 - won)]
    samples = np.array([differing(won, lost, cases - won - lost) for won, lost in outcomes]).T
    low, high = BINARY.difference_limits(samples)
    truth = rates[0] - rates[1]
    held = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    weights = stats.multinomial.pmf(
        [(won, lost, cases - won - lost) for won, lost in outcomes],
        cases,
        [*rates, 1 - sum(rates)],
    )
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ held >= 0.95


@given(counts, counts, counts)
def test_the_interval_excludes_zero_exactly_where_the_test_does(
    wins: int, losses: int, ties: int
) -> None:
    sample = differing(wins, losses, ties + 1)
    low, high = BINARY.difference_limits(sample)
    assert (low > 0 or high < 0) == (BINARY.p_value(sample) <= 0.05)


@given(counts, counts, counts)
def test_swapping_the_sides_turns_everything_round(wins: int, losses: int, ties: int) -> None:
    one, other = differing(wins, losses, ties + 1), differing(losses, wins, ties + 1)
    low, high = BINARY.difference_limits(one)
    mirrored_low, mirrored_high = BINARY.difference_limits(other)
    assert (low, high) == pytest.approx((-mirrored_high, -mirrored_low))
    assert BINARY.p_value(one) == BINARY.p_value(other)
    ratio, turned = (BINARY.effect_size(each) or 1.0 for each in (one, other))
    assert ratio * turned == pytest.approx(1.0)


def test_the_odds_ratio_is_won_to_lost_with_a_half_added() -> None:
    assert BINARY.effect_size(differing(3, 0, 10)) == pytest.approx(7.0)
    assert BINARY.effect_size(differing(0, 0, 10)) is None


def test_no_case_has_no_interval() -> None:
    assert np.isnan(BINARY.mean_limits(np.empty(0))).all()


@pytest.mark.parametrize("comparisons", [1, 2, 8, 100])
def test_the_cases_needed_are_the_fewest_that_can_decide(comparisons: int) -> None:
    needed = BINARY.cases_needed(comparisons)
    assert BINARY.p_value(np.ones(needed)) * comparisons <= 0.05
    assert BINARY.p_value(np.ones(needed - 1)) * comparisons > 0.05
