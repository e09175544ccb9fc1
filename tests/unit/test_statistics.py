"""Corrections for many comparisons, and which statistics fit which scores."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from wtb_async.domain.statistics.binary import BinaryScores
from wtb_async.domain.statistics.families import holm
from wtb_async.domain.statistics.kinds import statistics_for
from wtb_async.domain.statistics.numeric import NumericScores
from wtb_async.domain.statistics.power import detectable_share, mcnemar_power


def test_holm_multiplies_the_smallest_by_the_number_of_comparisons() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_corrected_p_value_is_never_smaller(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, corrected, strict=True))
    assert max(corrected) <= 1.0


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        ([0.0, 1.0, 1.0], BinaryScores),
        ([1.0, 1.0], BinaryScores),
        ([0.0, 0.5, 1.0], NumericScores),
        ([1.0, 5.0], NumericScores),
        ([], NumericScores),
    ],
)
def test_yes_or_no_scores_are_told_by_their_values(scores: list[float], kind: type) -> None:
    assert type(statistics_for(np.array(scores))) is kind


def test_the_power_of_mcnemars_test_is_the_sum_over_every_outcome() -> None:
    pairs, won, lost = 12, 0.5, 0.1
    found = 0.0
    for wins in range(pairs + 1):
        for losses in range(pairs + 1 - wins):
            if wins + losses and stats.binomtest(wins, wins + losses).pvalue <= 0.05:
                outcome = [wins, losses, pairs - wins - losses]
                found += stats.multinomial.pmf(outcome, pairs, [won, lost, 1 - won - lost])
    assert mcnemar_power(won - lost, won + lost, pairs, 0.05) == pytest.approx(found, abs=1e-6)


def test_a_detectable_share_is_found_four_times_in_five_exactly() -> None:
    difference = detectable_share(0.3, 100, 0.05)
    assert difference is not None
    assert mcnemar_power(difference, 0.3, 100, 0.05) == pytest.approx(0.8, abs=1e-4)


def test_where_no_case_differs_a_difference_would_make_some_differ() -> None:
    difference = detectable_share(0.0, 40, 0.05)
    assert difference is not None
    # Without losses, six wins are the fewest that decide.
    assert stats.binom.sf(5, 40, difference) == pytest.approx(0.8, abs=1e-4)


def test_too_few_cases_detect_no_difference_of_shares() -> None:
    assert detectable_share(0.5, 5, 0.05) is None
    assert detectable_share(0.5, 6, 0.05) is not None


@given(st.floats(0, 1), st.integers(10, 200), st.integers(1, 30))
@example(1e-308, 10, 1)
def test_more_comparisons_detect_less(differing: float, pairs: int, comparisons: int) -> None:
    alone = detectable_share(differing, pairs, 0.05 / comparisons)
    several = detectable_share(differing, pairs, 0.05 / (comparisons + 1))
    assert several is None or (alone is not None and several >= alone - 1e-4)
