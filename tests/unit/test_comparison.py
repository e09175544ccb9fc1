"""A comparison says which combination is better, and only what the data show."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from scipy.stats import binomtest

from wtb_async.domain import comparing
from wtb_async.domain.comparison import (
    Cell,
    Comparison,
    ScoredRow,
    Verdict,
    combination_label,
)

BASE = {"retriever": "base"}
Score = Callable[[int], float | bool]


def compare(rows: Iterable[ScoredRow], evaluator_order: Sequence[str] = ()) -> Comparison:
    return comparing.compare(rows, baseline=BASE, evaluator_order=evaluator_order)


def row(variant: str, case: int, score: float | bool, *, repetition: int = 0) -> ScoredRow:
    return ScoredRow(
        combination={"retriever": variant},
        test_case_id=f"q{case}",
        repetition=repetition,
        status="completed",
        scores={"hit": score},
        duration_ms=10.0,
    )


def failed(variant: str, case: int) -> ScoredRow:
    return dataclasses.replace(row(variant, case, False), status="failed", scores={})


def rows(cases: int = 40, **scores: Score) -> Iterator[ScoredRow]:
    for variant, score in scores.items():
        yield from (row(variant, case, score(case)) for case in range(cases))


def cell(comparison: Comparison, variant: str, key: str = "hit") -> Cell:
    evaluator = next(each for each in comparison.evaluators if each.key == key)
    return next(each for each in evaluator.cells if each.combination == {"retriever": variant})


def verdict(comparison: Comparison, variant: str, key: str = "hit") -> Verdict:
    paired = cell(comparison, variant, key).paired
    assert paired is not None
    return paired.verdict


def half(case: int) -> bool:
    return case % 2 == 0


def nearly_always(case: int) -> bool:
    return case % 10 != 0


def test_a_combination_that_wins_on_the_same_cases_is_better() -> None:
    comparison = compare(rows(base=half, tfidf=nearly_always))
    assert verdict(comparison, "tfidf") is Verdict.BETTER
    assert comparison.evaluators[0].sentence.startswith(
        "hit: retriever=tfidf is better than the baseline by 0.40 ("
    )
    assert comparison.ranking[0] == {"retriever": "tfidf"}


def test_a_combination_that_loses_is_worse() -> None:
    comparison = compare(rows(base=nearly_always, tfidf=half))
    assert verdict(comparison, "tfidf") is Verdict.WORSE
    assert "is worse than the baseline by 0.40" in comparison.evaluators[0].sentence


def test_equal_scores_show_no_difference() -> None:
    comparison = compare(rows(base=half, tfidf=half))
    assert verdict(comparison, "tfidf") is Verdict.NO_DIFFERENCE
    assert "no difference to the baseline shown" in comparison.evaluators[0].sentence


def test_five_cases_are_not_enough_however_clear_they_look() -> None:
    comparison = compare(rows(cases=5, base=lambda _: 0.0, tfidf=lambda _: 1.0))
    assert verdict(comparison, "tfidf") is Verdict.NOT_ENOUGH_DATA
    sentence = comparison.evaluators[0].sentence
    assert "5 paired test cases cannot decide 1 comparison, 6 may" in sentence
    assert comparison.evaluators[0].pairs_needed == 6


def test_pairing_sees_a_small_gain_under_a_large_spread() -> None:
    comparison = compare(rows(base=float, tfidf=lambda case: case + 0.1 + case % 3 / 100))
    assert verdict(comparison, "tfidf") is Verdict.BETTER


def test_yes_or_no_scores_are_compared_by_the_cases_won_and_lost() -> None:
    comparison = compare(rows(base=half, tfidf=nearly_always))
    hit = comparison.evaluators[0]
    paired = cell(comparison, "tfidf").paired
    assert paired is not None
    assert (hit.test, hit.effect) == ("exact McNemar test", "odds ratio")
    # tfidf wins the 20 odd cases and loses 0, 10, 20 and 30.
    assert paired.effect_size == pytest.approx(20.5 / 4.5)
    assert paired.p_value == pytest.approx(binomtest(4, 24).pvalue)
    assert paired.minimum_detectable == pytest.approx(0.31, abs=0.05)


def test_other_scores_are_compared_by_their_means() -> None:
    comparison = compare(rows(base=float, tfidf=lambda case: case + 0.1 + case % 3 / 100))
    hit = comparison.evaluators[0]
    paired = cell(comparison, "tfidf").paired
    assert paired is not None
    assert paired.interval is not None
    assert (hit.test, hit.effect) == ("skewness-guarded t-test", "d_z")
    assert paired.effect_size == pytest.approx(13.2, abs=0.2)
    assert paired.interval.low < 0.11 < paired.interval.high
    assert paired.minimum_detectable == pytest.approx(0.0037, abs=0.0002)


def test_a_comparison_that_shows_nothing_tells_what_it_would_have_seen() -> None:
    comparison = compare(rows(base=half, tfidf=lambda case: half(case) or case == 1))
    sentence = comparison.evaluators[0].sentence
    assert sentence.endswith("; one of 0.19 would show 4 times in 5.")


def test_repetitions_in_another_order_make_no_difference() -> None:
    scores = {"base": [0.1, 0.2, 0.3], "tfidf": [0.3, 0.2, 0.1]}
    repeated = (
        row(variant, case, scores[variant][repetition], repetition=repetition)
        for variant in scores
        for case in range(40)
        for repetition in range(3)
    )
    comparison = compare(repeated)
    assert verdict(comparison, "tfidf") is Verdict.NO_DIFFERENCE


def test_the_order_of_the_rows_does_not_matter() -> None:
    made = list(rows(base=lambda case: case % 7 / 7, tfidf=lambda case: case % 5 / 5))
    forwards, backwards = (
        cell(compare(order), "tfidf").paired for order in (made, [*reversed(made)])
    )
    assert forwards is not None
    assert backwards is not None
    assert forwards.p_value == pytest.approx(backwards.p_value)
    assert forwards.mean == pytest.approx(backwards.mean)


def test_lower_latency_is_better() -> None:
    fast = [dataclasses.replace(each, duration_ms=5.0) for each in rows(tfidf=half)]
    comparison = compare([*rows(base=half), *fast])
    assert verdict(comparison, "tfidf", "wtb.latency") is Verdict.BETTER
    latency = comparison.evaluators[-1]
    assert not latency.higher_is_better
    assert latency.cells[0].combination == {"retriever": "tfidf"}
    assert "by 5.00 ms" in latency.sentence


def test_less_is_better_where_a_row_says_so() -> None:
    losing = [
        dataclasses.replace(each, lower_is_better=["hit"])
        for each in rows(base=nearly_always, tfidf=half)
    ]
    comparison = compare(losing)
    assert verdict(comparison, "tfidf") is Verdict.BETTER
    assert not comparison.evaluators[0].higher_is_better
    assert comparison.evaluators[0].cells[0].combination == {"retriever": "tfidf"}


def test_a_failed_execution_is_counted_and_leaves_no_pair() -> None:
    broken = [failed("tfidf", case) for case in range(3)]
    scored = [row("tfidf", case, nearly_always(case)) for case in range(3, 40)]
    comparison = compare([*rows(base=half), *broken, *scored])
    tfidf = cell(comparison, "tfidf")
    assert (tfidf.failures, tfidf.n) == (3, 37)
    assert tfidf.paired is not None
    assert tfidf.paired.pairs == 37
    assert "(3 failed executions left out)" in comparison.evaluators[0].sentence


def test_a_completed_execution_without_this_score_is_counted() -> None:
    silent = dataclasses.replace(row("base", 1, True), scores={})
    assert cell(compare([row("base", 0, True), silent]), "base").unscored == 1


def test_repetitions_are_one_piece_of_evidence_per_case() -> None:
    repeated = (
        row(variant, case, variant == "tfidf", repetition=repetition)
        for variant in ("base", "tfidf")
        for case in range(3)
        for repetition in range(50)
    )
    comparison = compare(repeated)
    assert cell(comparison, "tfidf").n == 3
    assert verdict(comparison, "tfidf") is Verdict.NOT_ENOUGH_DATA


def test_many_comparisons_are_corrected_for_their_number() -> None:
    # One lucky combination among twenty: its raw p-value alone would call it better.
    def lucky(case: int) -> bool:
        return half(case) or case in {1, 3, 5, 7, 9, 11}

    others = (
        dataclasses.replace(each, combination={"retriever": f"v{number}"})
        for number in range(19)
        for each in rows(base=half)
    )
    comparison = compare([*rows(base=half, lucky=lucky), *others])
    paired = cell(comparison, "lucky").paired
    assert paired is not None
    assert paired.p_value is not None
    assert paired.p_value < 0.05
    assert paired.verdict is Verdict.NO_DIFFERENCE
    # The interval is this comparison's own; the sentence says that the p-value is not.
    assert paired.interval is not None
    assert paired.interval.low > 0
    assert "after correction" in comparison.evaluators[0].sentence


def test_a_node_that_is_not_named_is_the_original() -> None:
    unnamed = [dataclasses.replace(each, combination={}) for each in rows(base=half)]
    comparison = compare([*unnamed, *rows(tfidf=nearly_always)])
    assert comparison.baseline == BASE
    assert verdict(comparison, "tfidf") is Verdict.BETTER


def test_the_named_baseline_is_compared_with() -> None:
    named = {"retriever": "tfidf"}
    comparison = comparing.compare(rows(base=half, tfidf=nearly_always), baseline=named)
    assert cell(comparison, "tfidf").paired is None
    assert verdict(comparison, "base") is Verdict.WORSE


def test_the_order_of_evaluators_decides_the_ranking() -> None:
    def scored(variant: str, quality: float, brevity: float) -> ScoredRow:
        scores = {"brevity": brevity, "quality": quality}
        return dataclasses.replace(row(variant, 0, False), scores=scores)

    both = [scored("base", 0.2, 0.9), scored("tfidf", 0.8, 0.1)]
    comparison = compare(both, evaluator_order=["quality"])
    assert [each.key for each in comparison.evaluators] == ["quality", "brevity", "wtb.latency"]
    assert comparison.ranking[0] == {"retriever": "tfidf"}


@pytest.mark.parametrize(
    "nothing", [[], [failed("base", 0)], [failed("base", 0), row("tfidf", 0, True)]]
)
def test_nothing_to_compare_is_said_and_not_an_error(nothing: Iterable[ScoredRow]) -> None:
    comparison = compare(nothing)
    assert {each.verdict for each in comparison.evaluators} == {Verdict.NOT_ENOUGH_DATA}
    assert all("not enough data" in each.sentence for each in comparison.evaluators)


def test_a_comparison_is_plain_json() -> None:
    comparison = compare(rows(cases=3, base=half, tfidf=nearly_always))
    text = json.dumps(dataclasses.asdict(comparison), allow_nan=False)
    assert json.loads(text)["evaluators"][0]["cells"][0]["n"] == 3


def test_a_label_does_not_depend_on_the_order_of_the_nodes() -> None:
    assert combination_label({"retriever": "bm25", "reranker": "overlap"}) == (
        combination_label({"reranker": "overlap", "retriever": "bm25"})
    )
    assert combination_label({}) == "base"
