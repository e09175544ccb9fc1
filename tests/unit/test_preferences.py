"""Preferences are counted by test case and compared by an exact test."""

from collections.abc import Callable, Iterable

import pytest
from scipy.stats import binomtest

from wtb_async.domain.comparing import compare
from wtb_async.domain.comparison import PreferenceComparison, ScoredRow, Verdict


def row(
    variant: str, case: int, preference: float | None, *, repetition: int = 0, failed: bool = False
) -> ScoredRow:
    return ScoredRow(
        combination={"tone": variant},
        test_case_id=str(case),
        repetition=repetition,
        status="failed" if failed else "completed",
        scores={},
        duration_ms=1.0,
        preferences={} if preference is None else {"nicer": preference},
    )


def compared(rows: Iterable[ScoredRow]) -> PreferenceComparison:
    baseline = [row("base", case, None) for case in range(3)]
    [found] = compare([*baseline, *rows], baseline={"tone": "base"}).preferences
    return found


def preferring(cases: int, preference: Callable[[int], float]) -> PreferenceComparison:
    return compared(row("loud", case, preference(case)) for case in range(cases))


def test_a_combination_that_is_mostly_preferred_is_better() -> None:
    found = preferring(40, lambda case: 0.0 if case < 6 else 0.5 if case < 9 else 1.0)
    [cell] = found.cells
    assert (cell.won, cell.lost, cell.tied) == (31, 6, 3)
    assert cell.rate == pytest.approx((31 + 1.5) / 40)
    assert cell.interval is not None
    assert 0.5 < cell.interval.low < cell.rate < cell.interval.high < 1
    assert cell.paired.p_value == pytest.approx(binomtest(6, 37).pvalue)
    assert found.verdict is Verdict.BETTER
    assert found.sentence.startswith(
        "nicer: tone=loud is preferred to the baseline,"
        " it wins 31 cases, loses 6 and ties 3 (81%, 6"
    )


def test_a_combination_that_loses_is_worse() -> None:
    found = preferring(20, lambda case: float(case == 0))
    assert found.verdict is Verdict.WORSE
    assert "tone=loud loses against the baseline, it wins 1 case, loses 19" in found.sentence


def test_an_even_match_shows_no_preference() -> None:
    found = preferring(20, lambda case: float(case % 2))
    assert found.verdict is Verdict.NO_DIFFERENCE
    assert found.sentence.startswith(
        "nicer: no preference shown, tone=loud wins 10 cases, loses 10"
    )


def test_few_cases_are_not_enough() -> None:
    found = preferring(5, lambda _: 1.0)
    assert found.verdict is Verdict.NOT_ENOUGH_DATA
    assert found.sentence == (
        "nicer: not enough data, 5 paired test cases cannot decide 1 comparison, 6 may."
    )


def test_repetitions_are_one_piece_of_evidence_per_case() -> None:
    found = compared(
        row("loud", case, preference, repetition=repetition)
        for case in range(8)
        for repetition, preference in enumerate((1.0, 1.0, 0.0))
    )
    assert (found.cells[0].won, found.cells[0].lost) == (8, 0)


def test_several_combinations_are_ordered_and_corrected_for_their_number() -> None:
    found = compared(
        row(variant, case, float(case < won))
        for variant, won in (("quiet", 9), ("loud", 11))
        for case in range(12)
    )
    assert [cell.combination["tone"] for cell in found.cells] == ["loud", "quiet"]
    loud = found.cells[0].paired
    assert loud.p_value is not None
    assert loud.p_corrected == pytest.approx(2 * loud.p_value)


def test_an_execution_that_failed_is_not_compared() -> None:
    rows = [row("loud", case, 1.0, failed=case == 0) for case in range(8)]
    assert compared(rows).cells[0].won == 7


def test_without_preferences_there_is_nothing_to_say() -> None:
    rows = [row("base", 0, None), row("loud", 0, None)]
    assert compare(rows, baseline={"tone": "base"}).preferences == ()
