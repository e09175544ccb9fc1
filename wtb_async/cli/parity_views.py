"""A parity report as text and as JSON."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wtb_async.domain.json import JsonObject
from wtb_async.sdk.parity import Discrepancy, ParityReport


def print_parity(console: Console, report: ParityReport) -> None:
    """Print one row per discrepancy, and how many there are of each kind."""
    if not report.is_clean:
        table = Table("kind", "execution", "where", report.first, report.second)
        for each in report.discrepancies:
            texts = (str(each.row), each.path, repr(each.first), repr(each.second))
            table.add_row(each.kind.value, *map(escape, texts))
        console.print(table)
    console.print(report.summary, markup=False, soft_wrap=True)


def parity_document(report: ParityReport) -> JsonObject:
    """The report for programs."""
    return {
        "first": report.first,
        "second": report.second,
        "rows": report.rows,
        "is_clean": report.is_clean,
        "counts": dict(report.counts()),
        "discrepancies": [_document(each) for each in report.discrepancies],
    }


def _document(discrepancy: Discrepancy) -> JsonObject:
    row = discrepancy.row
    return {
        "kind": discrepancy.kind.value,
        "combination": dict(row.combination),
        "test_case_id": row.test_case_id,
        "repetition": row.repetition,
        "path": discrepancy.path,
        "first": discrepancy.first,
        "second": discrepancy.second,
    }
