"""What pairwise and summary evaluators said, as tables."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wtb_async.domain.comparison import (
    PreferenceCell,
    PreferenceComparison,
    Summary,
    Verdict,
    combination_label,
)

_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red"}
_MISSING = "-"


def print_preferences(console: Console, preferences: Sequence[PreferenceComparison]) -> None:
    """Print one table per pairwise evaluator, the most preferred combination first."""
    for preference in preferences:
        console.print(f"{preference.key} (preferred to the baseline)", style="bold", markup=False)
        table = _new_table("combination")
        for heading in ("won", "lost", "tied", "rate", "95 % interval", "p"):
            table.add_column(heading, justify="right")
        table.add_column("verdict")
        for cell in preference.cells:
            table.add_row(*_row(cell), style=_STYLES.get(cell.paired.verdict, ""))
        console.print(table)


def print_summaries(console: Console, summaries: Sequence[Summary]) -> None:
    """Print what summary evaluators said of each combination, if anything."""
    if not summaries:
        return
    console.print("summaries", style="bold")
    table = _new_table("combination", "key")
    table.add_column("score", justify="right")
    table.add_column("comment", overflow="fold")
    for summary in summaries:
        score = _MISSING if summary.score is None else f"{summary.score:.3f}"
        label, comment = combination_label(summary.combination), summary.error or summary.comment
        table.add_row(escape(label), escape(summary.key), score, escape(comment or ""))
    console.print(table)


def _new_table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _row(cell: PreferenceCell) -> tuple[str, ...]:
    within, paired = cell.interval, cell.paired
    return (
        escape(combination_label(cell.combination)),
        *map(str, (cell.won, cell.lost, cell.tied)),
        f"{cell.rate:.0%}",
        f"{within.low:.0%} to {within.high:.0%}" if within else _MISSING,
        _MISSING if paired.p_corrected is None else f"{paired.p_corrected:.3f}",
        paired.verdict.value,
    )
