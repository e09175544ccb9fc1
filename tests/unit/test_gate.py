"""A gate fails when a condition holds, and when it cannot be told whether it does."""

import dataclasses
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.comparing_batches import ComparedBatch
from wtb_async.domain.comparison import ScoredRow
from wtb_async.domain.gate.gate import Finding, Gate, GateReport
from wtb_async.domain.gate.judging import JudgedBatch, judge

BATCH, OTHER = UUID(int=1), UUID(int=2)
BASE, LSA = {"retriever": "base"}, {"retriever": "lsa"}


def rows(
    combination: dict[str, str], score: Callable[[int], float | bool], cases: int = 20
) -> list[ScoredRow]:
    return [
        ScoredRow(
            combination=combination,
            test_case_id=f"q{case}",
            repetition=0,
            status="completed",
            scores={"hit": score(case)},
            duration_ms=10.0 * (case + 1),
        )
        for case in range(cases)
    ]


def failed(made: Sequence[ScoredRow], count: int) -> list[ScoredRow]:
    """The same, the first few of them failed."""
    broken = [dataclasses.replace(row, status="failed", scores={}) for row in made[:count]]
    return [*broken, *made[count:]]


def unscored(made: Sequence[ScoredRow], count: int) -> list[ScoredRow]:
    return [*(dataclasses.replace(row, scores={}) for row in made[:count]), *made[count:]]


def side(made: Sequence[ScoredRow], batch_id: UUID = BATCH) -> ComparedBatch:
    name = "this" if batch_id == BATCH else "main"
    return ComparedBatch(id=batch_id, name=name, baseline=BASE, rows=made)


def ask(
    made: Sequence[ScoredRow],
    *fail_if: str,
    worse_than: Sequence[str] = (),
    scores: Sequence[str] = (),
    strict: bool = False,
    other: Sequence[ScoredRow] = (),
    order: Sequence[str] = (),
    status: BatchStatus = BatchStatus.COMPLETED,
    cancelled: int = 0,
) -> GateReport:
    gate = Gate.read(fail_if=fail_if, worse_than=worse_than, scores=scores, strict=strict)
    batch = JudgedBatch(side=side(made), status=status, cancelled=cancelled, evaluator_order=order)
    return judge(gate, batch, {OTHER: side(other, OTHER)})


def findings(report: GateReport) -> list[Finding]:
    """All but the one that the batch test has completed."""
    return list(report.findings[1:])


def outcomes(report: GateReport) -> list[tuple[str, str]]:
    """Of every finding, the variant that it is about and the outcome."""
    return [
        ((each.combination or {}).get("retriever", ""), each.outcome.value)
        for each in findings(report)
    ]


def three_of_four(case: int) -> bool:
    return case % 4 != 0


def half(case: int) -> bool:
    return case % 2 == 0


def always(_: int) -> bool:
    return True


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ("hit < 0.7", True),
        ("hit < 0.8", False),
        ("mean(hit) >= 0.75", False),
        ("hit == 0.75", False),
        ("min(hit) < 0", True),
        ("max(hit) >= 1", False),
        ("p95(latency) > 190", True),
        ("p95(latency) > 189", False),
        ("p96(latency) > 190", False),
        ("p1(wtb.latency) < 10", True),
        ("latency > 105", True),
        ("latency > 104", False),
        ("failures > 0", True),
        ("failures == 0", False),
    ],
)
def test_a_gate_fails_when_its_condition_holds(condition: str, passes: bool) -> None:
    assert ask(rows(BASE, three_of_four), condition).passed is passes


def test_one_combination_that_violates_is_enough() -> None:
    report = ask([*rows(BASE, three_of_four), *rows(LSA, always)], "hit < 0.8")
    assert not report.passed
    assert sorted(outcomes(report)) == [("base", "failed"), ("lsa", "passed")]


def test_a_condition_may_choose_its_combinations() -> None:
    both = [*rows(BASE, three_of_four), *rows(LSA, always)]
    assert outcomes(ask(both, "[retriever=lsa] hit < 0.8")) == [("lsa", "passed")]
    assert outcomes(ask(both, "[retriever=base] failures > 0")) == [("base", "passed")]


def test_the_message_says_how_far_off_it_was_and_what_that_stands_on() -> None:
    report = ask(failed(rows(BASE, always), 2), "hit < 0.8", "p50(latency) > 1", "failures > 3")
    mean, median, failures = findings(report)
    assert mean.message == (
        "hit is 1 (18 cases, 95 % interval 0.8147 to 1), 0.2 above 0.8; 2 executions failed"
    )
    assert (mean.value, mean.n) == (1.0, 18)
    assert mean.interval is not None
    assert median.message == (
        "p50(latency) is 110 ms (18 executions), 109 ms above 1; 2 executions failed"
    )
    assert failures.message == "2 of 20 executions failed"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("hti < 0.8", "no evaluator gave a score 'hti'; there are: hit, wtb.latency"),
        ("[retriever=bm25] hit < 0.8", "no combination is like that; there are: retriever=base"),
        ("[reranker=base] failures > 0", "no combination is like that"),
    ],
)
def test_what_is_not_there_fails_and_says_what_is(condition: str, said: str) -> None:
    report = ask(rows(BASE, always), condition)
    assert not report.passed
    assert said in findings(report)[0].message


def test_a_combination_without_any_score_fails() -> None:
    report = ask([*rows(BASE, always), *failed(rows(LSA, always), 20)], "hit < 0.8")
    assert sorted(outcomes(report)) == [("base", "passed"), ("lsa", "failed")]
    lost = next(each for each in findings(report) if each.combination == LSA)
    assert lost.message == "no execution has a score 'hit'; 20 executions failed"


def test_a_batch_test_without_any_execution_fails_every_condition() -> None:
    assert outcomes(ask([], "hit < 0.8", "failures > 0")) == [("", "failed")] * 2


def test_a_good_figure_of_what_has_not_failed_is_doubtful() -> None:
    both = [*rows(BASE, half), *failed(rows(LSA, always), 12)]
    [mean] = findings(ask(both, "[retriever=lsa] hit < 0.8"))
    [verdict] = findings(ask(both, worse_than=["retriever=base"]))
    for doubtful in (mean, verdict):
        assert doubtful.outcome == "doubtful"
        assert doubtful.message.endswith("; 12 executions failed")
    assert outcomes(ask(both, "[retriever=lsa] failures < 20")) == [("lsa", "failed")]


def test_missing_scores_are_doubt_and_a_strict_gate_fails_on_doubt() -> None:
    made = unscored(rows(BASE, always), 3)
    [doubtful] = findings(ask(made, "hit < 0.8"))
    assert doubtful.outcome == "doubtful"
    assert doubtful.message.endswith("; 3 completed without this score")
    assert ask(made, "hit < 0.8").passed
    assert not ask(made, "hit < 0.8", strict=True).passed
    assert outcomes(ask(made, "hit < 1.1")) == [("base", "failed")]


@pytest.mark.parametrize(
    ("status", "cancelled", "outcome"),
    [
        (BatchStatus.COMPLETED, 0, "passed"),
        (BatchStatus.COMPLETED, 2, "doubtful"),
        (BatchStatus.CANCELLED, 2, "failed"),
        (BatchStatus.FAILED, 0, "failed"),
    ],
)
def test_a_gate_without_conditions_asks_for_a_completed_batch_test(
    status: BatchStatus, cancelled: int, outcome: str
) -> None:
    report = ask(rows(BASE, always), status=status, cancelled=cancelled)
    assert [each.outcome.value for each in report.findings] == [outcome]
    assert report.passed is (outcome != "failed")


def test_a_combination_that_is_worse_than_its_rival_fails() -> None:
    both = [*rows(BASE, always), *rows(LSA, half)]
    report = ask(both, worse_than=["retriever=base"])
    [worse] = findings(report)
    assert (worse.condition, worse.outcome) == ("hit is worse than retriever=base", "failed")
    assert worse.message.startswith("worse: behind by 0.50 (0.")
    assert worse.message.endswith("; 20 paired test cases")
    assert (worse.value, worse.n) == (-0.5, 20)
    assert outcomes(ask(both, worse_than=["retriever=lsa"])) == [("base", "passed")]


def test_too_few_cases_are_doubt() -> None:
    few = [*rows(BASE, always, cases=5), *rows(LSA, half, cases=5)]
    [doubtful] = findings(ask(few, worse_than=["retriever=base"]))
    assert doubtful.message == "not enough data: 5 of 6 paired test cases"
    assert ask(few, worse_than=["retriever=base"]).passed
    assert not ask(few, worse_than=["retriever=base"], strict=True).passed


def test_latency_counts_only_as_an_evaluator_of_the_batch_test_or_by_name() -> None:
    slow = [dataclasses.replace(row, duration_ms=1e4 + n) for n, row in enumerate(rows(LSA, half))]
    both = [*rows(BASE, half), *slow]
    rival = ["retriever=base"]
    assert ask(both, worse_than=rival).passed
    assert not ask(both, worse_than=rival, order=["wtb.latency"]).passed
    assert not ask(both, worse_than=rival, scores=["wtb.latency"]).passed
    assert ask(both, worse_than=rival, scores=["hit"], order=["wtb.latency"]).passed


def test_a_score_that_nobody_gave_cannot_be_compared() -> None:
    report = ask(
        [*rows(BASE, half), *rows(LSA, half)], worse_than=["retriever=base"], scores=["hti"]
    )
    assert not report.passed
    assert "there are: hit, wtb.latency" in findings(report)[0].message


@pytest.mark.parametrize(
    ("made", "rival", "said"),
    [
        (rows(BASE, half), "retriever=bm25", "there are: retriever=base"),
        (rows(BASE, half), "finder=base", "no combination is like that"),
        (rows(BASE, half), "retriever=base", "there is no combination to compare it with"),
        (unscored(rows(BASE, half), 20), "retriever=base", "there are no scores"),
        (rows(BASE, half), str(OTHER), "no test case in common"),
    ],
)
def test_a_rival_that_cannot_be_met_fails(made: Sequence[ScoredRow], rival: str, said: str) -> None:
    report = ask(made, worse_than=[rival])
    assert not report.passed
    assert said in findings(report)[0].message


def test_a_node_that_a_rival_does_not_name_is_the_original() -> None:
    both = [
        *rows({"retriever": "base", "reranker": "base"}, always),
        *rows({"retriever": "lsa", "reranker": "base"}, half),
    ]
    assert outcomes(ask(both, worse_than=["reranker=base"])) == [("lsa", "failed")]


def test_another_batch_test_is_met_case_by_case() -> None:
    before = [*rows(BASE, always), *rows(LSA, half)]
    after = [*rows(BASE, half), *rows(LSA, always)]
    report = ask(after, worse_than=[str(OTHER)], other=before)
    assert sorted(outcomes(report)) == [("base", "failed"), ("lsa", "passed")]
    assert findings(report)[0].condition == "hit is worse than batch test 'main'"


def test_of_other_combinations_only_the_baselines_meet() -> None:
    after = [*rows(BASE, half), *rows(LSA, half)]
    report = ask(after, worse_than=[str(OTHER)], other=rows(BASE, always))
    assert outcomes(report) == [("base", "failed")]
