"""Two batch tests are compared case by case, and only where they have something in common."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from wtb_async.domain.comparing_batches import ComparedBatch, NothingToPair, compare_batches
from wtb_async.domain.comparison import Comparison, Pairing, ScoredRow, Verdict

BEFORE, AFTER = UUID(int=1), UUID(int=2)


def rows(
    combination: dict[str, str], score: Callable[[int], float | bool], cases: int = 40
) -> list[ScoredRow]:
    return [
        ScoredRow(
            combination=combination,
            test_case_id=f"q{case}",
            repetition=0,
            status="completed",
            scores={"hit": score(case)},
            duration_ms=10.0,
        )
        for case in range(cases)
    ]


def batch(
    batch_id: UUID, made: Sequence[ScoredRow], baseline: dict[str, str] | None = None
) -> ComparedBatch:
    name = "before" if batch_id == BEFORE else "after"
    return ComparedBatch(id=batch_id, name=name, baseline=baseline or {}, rows=made)


def verdicts(comparison: Comparison) -> list[tuple[dict[str, str], Verdict | None]]:
    """Of the first evaluator, by combination."""
    return sorted(
        (
            (dict(cell.combination), cell.paired.verdict if cell.paired else None)
            for cell in comparison.evaluators[0].cells
        ),
        key=str,
    )


def always(_: int) -> bool:
    return True


def half(case: int) -> bool:
    return case % 2 == 0


BASE, LSA = {"retriever": "base"}, {"retriever": "lsa"}


def test_the_same_combinations_are_compared_one_by_one() -> None:
    before = batch(BEFORE, [*rows(BASE, half), *rows(LSA, always)], BASE)
    after = batch(AFTER, [*rows(LSA, half), *rows(BASE, half)], BASE)
    comparison = compare_batches(after, before)
    assert verdicts(comparison) == [(BASE, Verdict.NO_DIFFERENCE), (LSA, Verdict.WORSE)]
    assert comparison.against is not None
    assert comparison.against.pairing is Pairing.COMBINATIONS
    assert comparison.evaluators[0].sentence.startswith(
        "hit: retriever=lsa is worse than batch test 'before' by 0.50 ("
    )


def test_other_combinations_are_compared_by_the_baselines_alone() -> None:
    before = batch(BEFORE, rows(BASE, half), BASE)
    after = batch(AFTER, [*rows(BASE, always), *rows(LSA, always)], BASE)
    comparison = compare_batches(after, before)
    assert verdicts(comparison) == [(BASE, Verdict.BETTER), (LSA, None)]
    assert comparison.against is not None
    assert comparison.against.pairing is Pairing.BASELINES


def test_batches_of_different_workflows_keep_the_names_of_their_own_nodes() -> None:
    before = batch(BEFORE, rows({"finder": "base"}, half), {"finder": "base"})
    comparison = compare_batches(batch(AFTER, rows(LSA, always), LSA), before)
    assert verdicts(comparison) == [(LSA, Verdict.BETTER)]
    assert comparison.baseline == LSA
    assert comparison.against is not None
    assert comparison.against.baseline == {"finder": "base"}


def test_only_cases_of_both_count() -> None:
    before = batch(BEFORE, rows(BASE, half, cases=30), BASE)
    [cell] = compare_batches(batch(AFTER, rows(BASE, half), BASE), before).evaluators[0].cells
    assert cell.n == 40
    assert cell.paired is not None
    assert cell.paired.pairs == 30


def test_scores_are_yes_or_no_only_if_they_are_on_both_sides() -> None:
    graded = batch(BEFORE, rows(BASE, lambda case: case / 40), BASE)
    comparison = compare_batches(batch(AFTER, rows(BASE, always), BASE), graded)
    assert comparison.evaluators[0].test == "skewness-guarded t-test"


def test_a_score_of_one_side_alone_is_not_enough_data() -> None:
    renamed = [dataclasses.replace(row, scores={"hit_at_1": True}) for row in rows(BASE, always)]
    comparison = compare_batches(batch(AFTER, renamed, BASE), batch(BEFORE, rows(BASE, half)))
    found = {each.key: each.sentence for each in comparison.evaluators}
    assert list(found) == ["hit_at_1", "hit", "wtb.latency"]
    for key in ("hit_at_1", "hit"):
        assert found[key] == (
            f"{key}: not enough data, no test case has a score both on batch test 'before' "
            "and elsewhere."
        )


def test_a_baseline_that_never_ended_has_no_verdict() -> None:
    after = batch(AFTER, rows(LSA, always), BASE)
    comparison = compare_batches(after, batch(BEFORE, rows(BASE, half), BASE))
    assert verdicts(comparison) == [(LSA, None)]


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (
            [
                dataclasses.replace(row, test_case_id=f"other {n}")
                for n, row in enumerate(rows(BASE, half))
            ],
            "other 0, other 1, other 10 and 37 more there, q0, q1, q10 and 37 more here",
        ),
        ([], "no ended execution there"),
    ],
)
def test_batches_without_a_common_case_are_refused(before: list[ScoredRow], said: str) -> None:
    with pytest.raises(NothingToPair, match=said) as refused:
        compare_batches(batch(AFTER, rows(BASE, half), BASE), batch(BEFORE, before, BASE))
    assert refused.value.violations[0].field == "against"


def test_the_other_batch_is_plain_json() -> None:
    one = batch(AFTER, rows(BASE, half), BASE)
    comparison = compare_batches(one, batch(BEFORE, rows(BASE, half), BASE))
    document = json.loads(json.dumps(dataclasses.asdict(comparison), default=str))
    assert document["against"] == {
        "batch_test_id": str(BEFORE),
        "name": "before",
        "baseline": BASE,
        "pairing": "combinations",
    }
