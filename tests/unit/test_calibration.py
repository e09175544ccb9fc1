"""The calibration passes for the product's statistics and catches worse ones."""

from pathlib import Path

import numpy as np
import pytest
from calibration import FAMILY, Figures, broken_promises, calibrate
from calibration_tables import as_markdown, calibration_tables
from pairing_gain import PairingGain
from scipy import stats
from simulated_scores import Population, populations

from wtb_async.domain.statistics.numeric import NumericScores
from wtb_async.domain.statistics.scores import Limits, Samples

FAMILIES = 250
BY_NAME = {each.name: each for each in populations()}


class PlainStudent(NumericScores):
    """What most tools do."""

    def p_value(self, differences: Samples) -> Samples:
        p_values: Samples = stats.ttest_1samp(differences, 0.0, axis=0).pvalue
        return p_values

    def mean_limits(self, values: Samples) -> Limits:
        interval = stats.ttest_1samp(values, 0.0, axis=0).confidence_interval(0.95)
        return interval.low, interval.high


@pytest.mark.parametrize("population", populations(), ids=lambda each: each.name)
@pytest.mark.parametrize("cases", [20, 50])
def test_the_promises_are_kept_within_sampling_error(population: Population, cases: int) -> None:
    assert broken_promises([calibrate(population, cases, FAMILIES)], standard_errors=4) == []


def test_students_t_alone_breaks_them_on_skewed_scores() -> None:
    figures = calibrate(BY_NAME["lognormal"], 50, FAMILIES, PlainStudent())
    broken = " ".join(broken_promises([figures], standard_errors=4))
    assert "false positives in a family" in broken
    assert "the interval of the difference" in broken


def test_ten_numeric_scores_are_not_enough_and_ten_yes_or_no_scores_are() -> None:
    numeric = calibrate(BY_NAME["normal"], 10, 10)
    assert numeric.false_positives is None
    assert numeric.difference_coverage is None
    assert calibrate(BY_NAME["yes-or-no 0.50, r = 0.3"], 10, 10).false_positives is not None


def test_no_answer_is_no_excuse_where_there_are_cases_enough() -> None:
    silent = Figures("normal", 50, 100, False, True, None, None, None, None, 1.0)
    assert len(broken_promises([silent])) == 4


def test_the_same_experiments_come_every_time() -> None:
    once, again = (calibrate(BY_NAME["ratings 1 to 5"], 20, 30) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("population", populations(), ids=lambda each: each.name)
def test_a_population_has_the_truth_that_it_states(population: Population) -> None:
    baseline, combination = population.draw(np.random.default_rng(1), (100_000,))
    # Two degrees of freedom have no variance; their mean settles slowly.
    tolerance = 0.05
    assert combination.mean() == pytest.approx(population.mean, abs=tolerance)
    assert (combination - baseline).mean() == pytest.approx(population.difference, abs=tolerance)


def test_the_tables_have_a_row_for_each_population_and_a_column_for_each_size() -> None:
    figures = [calibrate(BY_NAME["normal"], cases, 20) for cases in (10, 20)]
    text = as_markdown(calibration_tables(figures, [PairingGain("normal", 30, 60, 0.5)]))
    assert f"({20 * FAMILY} experiments each)" in text
    assert "| scores | 10 cases | 20 cases |" in text
    assert "| normal | not enough data | " in text
    assert "| normal | 30 | 60 | 50% | 50% |" in text


def test_the_documented_tables_are_of_these_statistics() -> None:
    text = (Path(__file__).parents[2] / "docs/statistics.md").read_text()
    figures = [calibrate(BY_NAME["lognormal"], 50, 10_000)]
    for table in calibration_tables(figures, [])[:4]:
        documented = text.partition(f"### {table.title}\n")[2].partition("###")[0]
        headings, *rows = [line.strip("| ").split(" | ") for line in documented.split("\n") if line]
        row = next(each for each in rows if each[0] == "lognormal")
        assert row[headings.index("50 cases")] == table.rows[0][1]
