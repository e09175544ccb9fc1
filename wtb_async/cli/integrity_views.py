"""Integrity reports for people."""

from rich.console import Console
from rich.table import Table

from wtb_async.cli.console import print_fields
from wtb_async.cli.execution_views import moment
from wtb_async.sdk.integrity import IntegrityReport


def print_report(console: Console, report: IntegrityReport) -> None:
    """Print what a report says so far, and each finding that it shows on a line of its own."""
    print_fields(
        console,
        {
            "id": str(report.id),
            "status": report.status.value,
            "checks": f"{report.checks_done} of {report.checks_total}",
            "findings": _counted(report),
            "by": report.created_by,
            "at": moment(report.created_at),
            "error": str(report.error or ""),
        },
    )
    found = [each for each in report.results if each.found]
    if not found:
        return
    table = Table("check", "severity", "found", "mended", "what", box=None)
    for each in found:
        mended = str(each.repaired) if each.is_repairable else "-"
        table.add_row(each.check, each.severity.value, str(each.found), mended, each.title)
    console.print(table)
    for each in found:
        for finding in each.findings:
            line = f"{each.check}  {finding.subject}  {finding.detail}"
            console.print(line, markup=False, soft_wrap=True)


def _counted(report: IntegrityReport) -> str:
    counts = [f"{count} {severity.value}" for severity, count in report.counts.items() if count]
    return ", ".join(counts) or "none"
