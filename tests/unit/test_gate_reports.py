"""Reports of a gate are whole documents that the readers of their formats take."""

import re
from dataclasses import replace
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wtb_shapes import ID, batch

from wtb_async.cli.judgement import Judgement, worst_first
from wtb_async.cli.junit_report import junit_report
from wtb_async.cli.markdown_report import markdown_report
from wtb_async.cli.report_files import ReportNotWritten, make_room_for, write_report
from wtb_async.domain.comparing import compare
from wtb_async.domain.comparison import ScoredRow
from wtb_async.domain.gate.gate import Finding, GateReport, Outcome
from wtb_async.sdk.batch_models import BatchTest, ResultRow

BASE, LSA = {"retriever": "base"}, {"retriever": "lsa"}


def row(message: str = "no [luck] | at <all>", repetition: int = 0) -> ResultRow:
    return ResultRow.model_validate(
        {
            "execution_id": ID,
            "combination": LSA,
            "test_case_id": "q1",
            "repetition": repetition,
            "status": "failed",
            "error": {"type": "ValueError", "message": message, "node": "retriever"},
            "duration_ms": 1500.0,
        }
    )


def finding(outcome: Outcome, combination: dict[str, str] | None, condition: str) -> Finding:
    message = f"{condition} was {outcome}"
    return Finding(condition=condition, combination=combination, outcome=outcome, message=message)


def judged(*failed: ResultRow) -> Judgement:
    rows = [
        ScoredRow(
            combination=combination,
            test_case_id=f"q{case}",
            repetition=0,
            status="completed",
            scores={"hit": combination == LSA},
            duration_ms=1.0,
        )
        for combination in (BASE, LSA)
        for case in range(10)
    ]
    findings = (
        finding(Outcome.PASSED, None, "the batch test has not completed"),
        finding(Outcome.PASSED, LSA, "hit < 0.8"),
        finding(Outcome.DOUBTFUL, LSA, "hit is worse than retriever=base"),
        finding(Outcome.FAILED, BASE, "hit < 0.8"),
    )
    ended = {"finished_at": "2026-01-02T03:04:05+01:00"}
    return Judgement(
        batch=BatchTest.model_validate({**batch("completed", failed=len(failed)), **ended}),
        report=GateReport(batch_test_id=UUID(ID), passed=False, findings=findings),
        comparison=compare(rows, baseline=BASE),
        failed=failed,
    )


def parsed(of: Judgement) -> ET.Element:
    return ET.fromstring(junit_report(of))  # noqa: S314 - we have written it ourselves


def attributes(element: ET.Element, *names: str) -> list[str | None]:
    return [element.get(name) for name in names]


def test_junit_has_a_suite_for_each_combination_and_one_for_the_whole() -> None:
    suites = parsed(judged(row(), row(repetition=2)))
    assert suites.tag == "testsuites"
    assert [suite.get("name") for suite in suites] == [
        "retrievers",
        "retriever=lsa",
        "retriever=base",
    ]
    lsa = suites[1]
    assert [case.get("name") for case in lsa] == [
        "fail if hit < 0.8",
        "fail if hit is worse than retriever=base",
        "q1",
        "q1 (repetition 2)",
    ]
    assert {case.get("classname") for case in lsa} == {"retriever=lsa"}


def test_junit_counts_what_it_holds() -> None:
    suites = parsed(judged(row()))
    names = ("tests", "failures", "errors", "time")
    assert attributes(suites, *names) == ["5", "1", "1", "1.500"]
    assert attributes(suites[1], *names, "skipped") == ["3", "0", "1", "1.500", "1"]
    assert attributes(suites[2], *names, "skipped") == ["1", "1", "0", "0.000", "0"]
    assert suites[1].get("timestamp") == "2026-01-02T02:04:05"


def test_junit_tells_failures_errors_and_doubt_apart() -> None:
    suites = parsed(judged(row("broke")))
    failure, error, skipped = (suites.find(f".//{tag}") for tag in ("failure", "error", "skipped"))
    assert failure is not None
    assert error is not None
    assert skipped is not None
    assert failure.get("message") == failure.text == "hit < 0.8 was failed"
    assert attributes(error, "type", "message") == ["ValueError", "broke"]
    assert error.text == f"node retriever, execution {ID}"
    assert skipped.get("message") == "hit is worse than retriever=base was doubtful"


@given(st.text(st.characters()))
def test_junit_is_a_document_whatever_an_error_says(message: str) -> None:
    [error] = parsed(judged(row(message))).iter("error")
    assert len(error.get("message") or "") == len(message)


def test_markdown_begins_with_what_failed() -> None:
    text = markdown_report(judged(row()))
    assert text.startswith("## ❌ retrievers: failed\n")
    rows = [line for line in text.splitlines() if line.startswith(("| ❌", "| ⚠️", "| ✅"))]
    assert rows == [
        "| ❌ | hit \\< 0.8 | retriever=base | hit \\< 0.8 was failed |",
        "| ⚠️ | hit is worse than retriever=base | retriever=lsa "
        "| hit is worse than retriever=base was doubtful |",
        "| ✅ | the batch test has not completed |  "
        "| the batch test has not completed was passed |",
        "| ✅ | hit \\< 0.8 | retriever=lsa | hit \\< 0.8 was passed |",
    ]
    assert "\n- hit: retriever=lsa is better than the baseline by 1.00 (" in text


def test_a_condition_that_passed_everywhere_is_one_line() -> None:
    passed = [finding(Outcome.PASSED, each, "hit < 0.8") for each in (BASE, LSA)]
    lines = worst_first(GateReport(batch_test_id=UUID(ID), passed=True, findings=tuple(passed)))
    assert lines == [(Outcome.PASSED, "hit < 0.8", "2 combinations", "")]


def test_markdown_of_a_gate_that_passed_says_so() -> None:
    passed = judged()
    passed = replace(passed, report=replace(passed.report, passed=True))
    text = markdown_report(passed)
    assert text.startswith("## ✅ retrievers: passed\n")
    assert "Failed executions" not in text


def test_every_row_of_a_table_in_markdown_has_the_cells_of_its_head() -> None:
    text = markdown_report(judged(row("a | b\nc"), row()))
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    assert len(tables) == 4
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


def test_a_long_list_of_failures_is_cut() -> None:
    text = markdown_report(judged(*[row()] * 150))
    assert text.count(ID) == 101
    assert "and 50 more" in text


def test_a_report_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.md"
    make_room_for(path)
    write_report(path, b"old")
    write_report(path, b"new")
    assert path.read_bytes() == b"new"
    assert [each.name for each in path.parent.iterdir()] == ["report.md"]


def test_the_summary_of_a_github_job_is_added_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"of another step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    write_report(path, b"ours\n")
    assert path.read_bytes() == b"of another step\nours\n"


def test_a_place_that_cannot_be_written_to_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "report.md"):
        with pytest.raises(ReportNotWritten, match="cannot write"):
            make_room_for(path)
        with pytest.raises(ReportNotWritten, match="cannot write"):
            write_report(path, b"")
