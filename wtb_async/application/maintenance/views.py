"""What readers see of integrity: reports in the shape of the REST API."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.domain.integrity import IntegrityReport, ReportStatus, Severity
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One object for which a check does not hold."""

    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResultView:
    """What a check has found; `findings` are the first of them."""

    check: str
    severity: Severity
    title: str
    found: int
    repaired: int
    is_repairable: bool
    findings: list[FindingView]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityReportView:
    """One look at everything; `counts` are findings by severity."""

    id: UUID
    status: ReportStatus
    deep: bool
    repair: list[str]
    dry_run: bool
    checks_done: int
    checks_total: int
    counts: dict[str, int]
    results: list[CheckResultView]
    error: JsonObject | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def view_of_report(report: IntegrityReport, repairable: frozenset[str]) -> IntegrityReportView:
    """The report as readers see it."""
    return IntegrityReportView(
        id=report.id,
        status=report.status,
        deep=report.deep,
        repair=report.repair,
        dry_run=report.dry_run,
        checks_done=report.checks_done,
        checks_total=report.checks_total,
        counts=report.counts,
        results=[_view_of(each, repairable) for each in report.results],
        error=report.error,
        created_by=report.created_by,
        created_at=report.created_at,
        started_at=report.started_at,
        finished_at=report.finished_at,
    )


def _view_of(result: JsonObject, repairable: frozenset[str]) -> CheckResultView:
    findings = [FindingView(**each) for each in result["findings"]]
    return CheckResultView(
        **result | {"findings": findings, "is_repairable": result["check"] in repairable}
    )
