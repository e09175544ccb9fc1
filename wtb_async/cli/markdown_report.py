"""What a gate found as Markdown that fits the summary of a GitHub job."""

from collections.abc import Iterable, Iterator, Sequence

from wtb_async.cli.comparison_tables import headings, table_rows, title_of
from wtb_async.cli.execution_views import duration
from wtb_async.cli.judgement import Judgement, execution_name, worst_first
from wtb_async.domain.comparison import Comparison, combination_label
from wtb_async.domain.gate.gate import GateReport, Outcome
from wtb_async.sdk.batch_models import BatchTest, ResultRow

_SIGNS = {Outcome.FAILED: "❌", Outcome.DOUBTFUL: "⚠️", Outcome.PASSED: "✅"}
_MOST_ROWS = 100
"""A summary of a GitHub job may have one MiB, and nobody reads more."""


def markdown_report(judged: Judgement) -> str:
    """Write the report: failed conditions first, then the comparison and what failed."""
    parts = [
        _title(judged.batch, judged.report),
        _conditions(judged.report),
        *_comparison(judged.comparison),
        *_failed(judged.failed),
    ]
    return "\n\n".join(parts) + "\n"


def _title(batch: BatchTest, report: GateReport) -> str:
    sign = _SIGNS[Outcome.PASSED if report.passed else Outcome.FAILED]
    counts = batch.counts
    facts = [
        f"batch test `{batch.id}` of {_escaped(batch.workflow)}",
        f"{counts.total} executions, {counts.failed} failed",
        duration(batch.started_at, batch.finished_at),
    ]
    verdict = "passed" if report.passed else "failed"
    return f"## {sign} {_escaped(batch.name)}: {verdict}\n\n{', '.join(filter(None, facts))}"


def _conditions(report: GateReport) -> str:
    rows = [(_SIGNS[each.outcome], *each[1:]) for each in worst_first(report)]
    return _table(("", "fails if", "combination", "found"), rows)


def _comparison(comparison: Comparison) -> Iterator[str]:
    for evaluator in filter(lambda each: each.cells, comparison.evaluators):
        rows = list(table_rows(evaluator, comparison))
        yield f"### {_escaped(title_of(evaluator))}"
        yield _table(headings(comparison), rows)
    yield "\n".join(f"- {_escaped(each.sentence)}" for each in comparison.evaluators)


def _failed(rows: Sequence[ResultRow]) -> Iterator[str]:
    if rows:
        yield "### Failed executions"
        yield _table(("case", "combination", "error", "execution"), [*map(_failure, rows)])


def _failure(row: ResultRow) -> tuple[str, ...]:
    error = f"{row.error.type}: {row.error.message}" if row.error else ""
    label = combination_label(row.combination)
    return execution_name(row), label, error, str(row.execution_id)


def _table(columns: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows[:_MOST_ROWS]]
    table = "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)
    more = len(rows) - _MOST_ROWS
    return f"{table}\n\nand {more} more" if more > 0 else table


def _escaped(text: str) -> str:
    """Keep text from being markup, and a cell on one line."""
    for character in "\\`*_[]<>|~#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
