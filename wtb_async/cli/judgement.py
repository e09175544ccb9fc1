"""A batch test with what a gate found, as reports tell it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wtb_async.domain.comparison import Comparison, combination_label
from wtb_async.domain.gate.gate import Finding, GateReport, Outcome
from wtb_async.sdk.batch_models import BatchTest, ResultRow

_ORDER = tuple(Outcome)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """All that a report is made of."""

    batch: BatchTest
    report: GateReport
    comparison: Comparison
    failed: Sequence[ResultRow]
    """The executions that failed."""


class Line(NamedTuple):
    """What people read of a condition."""

    outcome: Outcome
    condition: str
    about: str
    """The combination, how many of them, or nothing for the batch test as a whole."""
    message: str


def worst_first(report: GateReport) -> list[Line]:
    """Failed findings, then doubtful ones, then in a line each the conditions that passed."""
    bad = [each for each in report.findings if each.outcome is not Outcome.PASSED]
    bad.sort(key=lambda each: _ORDER.index(each.outcome))
    lines = [Line(each.outcome, each.condition, concerned(each), each.message) for each in bad]
    return [*lines, *_passed(report)]


def concerned(finding: Finding) -> str:
    """The combination that a finding is about, empty for the batch test as a whole."""
    return "" if finding.combination is None else combination_label(finding.combination)


def _passed(report: GateReport) -> Iterator[Line]:
    passed: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.outcome is Outcome.PASSED:
            passed[finding.condition].append(finding)
    for condition, findings in passed.items():
        if len(findings) == 1:
            [only] = findings
            yield Line(Outcome.PASSED, condition, concerned(only), only.message)
        else:
            yield Line(Outcome.PASSED, condition, f"{len(findings)} combinations", "")


def execution_name(row: ResultRow) -> str:
    """Name an execution by its case, and by its repetition after the first."""
    return (
        f"{row.test_case_id} (repetition {row.repetition})" if row.repetition else row.test_case_id
    )
