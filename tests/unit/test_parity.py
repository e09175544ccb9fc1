"""Every kind of difference between two benches is found, and what is within tolerance is not."""

from dataclasses import replace

import pytest

from wtb_async.domain.json import JsonValue
from wtb_async.sdk.parity import Discrepancy, DiscrepancyKind, ParityReport, Tolerance
from wtb_async.sdk.parity.differences import differences, discrepancies_between
from wtb_async.sdk.parity.observation import ObservedRow
from wtb_async.sdk.parity.report import RowKey

FIRST = RowKey((("train", "base"),), "one", 0)
SECOND = RowKey((("train", "forest"),), "one", 0)
ROW = ObservedRow(
    status="completed",
    output={"answer": 1.0, "parts": ["a", {"b": None}]},
    error={},
    scores={"hit": True, "accuracy": 0.75},
    node_executions={"load (completed)": 1, "train (completed)": 1},
    events=3,
    duration_ms=10.0,
)
STRICT = Tolerance()


def found(
    other: ObservedRow, tolerance: Tolerance = STRICT
) -> list[tuple[DiscrepancyKind, str, JsonValue, JsonValue]]:
    both = discrepancies_between({FIRST: ROW}, {FIRST: other}, tolerance)
    assert {each.row for each in both} <= {FIRST}
    return [(each.kind, each.path, each.first, each.second) for each in both]


def test_the_same_twice_has_no_discrepancy() -> None:
    assert found(replace(ROW)) == []


@pytest.mark.parametrize(
    ("other", "kind", "path", "first", "second"),
    [
        (replace(ROW, status="failed"), "status", "status", "completed", "failed"),
        (
            replace(ROW, output={"answer": 1.1, "parts": ["a", {"b": None}]}),
            *("output", "output.answer", 1.0, 1.1),
        ),
        (
            replace(ROW, output={"answer": 1.0, "parts": ["a", {"b": 0}]}),
            *("output", "output.parts.1.b", None, 0),
        ),
        (
            replace(ROW, output={"answer": 1.0, "parts": ["a"]}),
            *("output", "output.parts.1", {"b": None}, "(missing)"),
        ),
        (replace(ROW, output=None), "output", "output", ROW.output, None),
        (
            replace(ROW, error={"type": "ValueError", "node": "train"}),
            *("error", "error.type", "(missing)", "ValueError"),
        ),
        (
            replace(ROW, scores={"hit": False, "accuracy": 0.75}),
            *("score", "scores.hit", True, False),
        ),
        (
            replace(ROW, scores={"accuracy": 0.75}),
            *("score", "scores.hit", True, "(missing)"),
        ),
        (
            replace(ROW, scores={"hit": 1.0, "accuracy": 0.75}),
            *("score", "scores.hit", True, 1.0),
        ),
        (
            replace(ROW, node_executions={"load (completed)": 1, "train (completed)": 2}),
            *("node_executions", "nodes.train (completed)", 1, 2),
        ),
        (replace(ROW, events=4), "events", "events", 3, 4),
    ],
)
def test_a_planted_difference_is_found_with_its_kind_and_its_place(
    other: ObservedRow, kind: str, path: str, first: JsonValue, second: JsonValue
) -> None:
    assert (DiscrepancyKind(kind), path, first, second) in found(other)


@pytest.mark.parametrize("turned", [False, True])
def test_a_row_that_only_one_bench_has_is_one_discrepancy(turned: bool) -> None:
    more, fewer = {FIRST: ROW, SECOND: ROW}, {FIRST: ROW}
    first, second = (fewer, more) if turned else (more, fewer)
    [each] = discrepancies_between(first, second, STRICT)
    shown = ("(missing)", "(present)") if turned else ("(present)", "(missing)")
    assert each == Discrepancy(DiscrepancyKind.MISSING_ROW, SECOND, "row", *shown)


def test_numbers_may_differ_by_the_tolerance_whichever_is_larger() -> None:
    near = replace(ROW, scores={"hit": True, "accuracy": 0.76})
    assert found(near, Tolerance(absolute=0.02)) == []
    assert found(near, Tolerance(relative=0.02)) == []
    assert found(near, Tolerance(absolute=0.001, relative=0.001)) != []


def test_what_is_ignored_is_not_compared() -> None:
    other = replace(ROW, output={"answer": 2.0, "parts": ["a", {"b": 7}]}, scores={})
    patterns = ("output.answer", "output.parts.*.b", "scores.*")
    assert found(other, Tolerance(ignored=patterns)) == []
    assert len(found(other, Tolerance(ignored=patterns[:2]))) == 2


def test_the_built_in_latency_is_no_discrepancy() -> None:
    timed = replace(ROW, scores={**ROW.scores, "wtb.latency": 5.0})
    assert found(timed) == []


@pytest.mark.parametrize(("factor", "kinds"), [(None, []), (3.0, []), (1.5, ["duration"])])
def test_durations_are_compared_when_somebody_asks(factor: float | None, kinds: list[str]) -> None:
    slower = replace(ROW, duration_ms=20.0)
    assert [kind for kind, *_ in found(slower, Tolerance(duration_factor=factor))] == kinds


@pytest.mark.parametrize(("first", "second"), [(1, True), ("1", 1), (None, False), ([], {})])
def test_values_of_different_types_are_different(first: JsonValue, second: JsonValue) -> None:
    assert list(differences("x", first, second, STRICT)) == [("x", first, second)]


def test_an_integer_and_a_float_of_the_same_value_are_alike() -> None:
    assert list(differences("x", 1, 1.0, STRICT)) == []


def test_a_report_says_what_differs_where() -> None:
    both = discrepancies_between({FIRST: ROW}, {FIRST: replace(ROW, status="failed")}, STRICT)
    report = ParityReport(first="local", second="ray", rows=1, discrepancies=both)
    assert not report.is_clean
    assert str(report).splitlines() == [
        "1 executions compared on local and ray: 1 status",
        "status           train=base, case one, repetition 0  status: 'completed' on local, "
        "'failed' on ray",
    ]


def test_a_clean_report_is_one_line() -> None:
    report = ParityReport(first="local", second="ray", rows=540, discrepancies=())
    assert report.is_clean
    assert str(report) == "540 executions compared on local and ray: no discrepancy"
