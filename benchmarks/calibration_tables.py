"""The figures of the calibration as tables, for a terminal and for a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pairing_gain import PairingGain
from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from calibration import Figures

_NOT_ENOUGH = "not enough data"


@dataclass(frozen=True)
class TextTable:
    """A title, a heading for each column, and rows of text."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def calibration_tables(
    figures: Sequence["Figures"], gains: Sequence[PairingGain]
) -> list[TextTable]:
    """One table for each promise, a row for each population and a column for each size."""
    families = figures[0].families
    nothing = [each for each in figures if each.null]
    return [
        _by_size(
            f"False positives of one comparison, % ({8 * families:,} experiments each)",
            nothing,
            lambda each: each.false_positives,
        ),
        _by_size(
            f"False positives of a family of 8 after correction, % ({families:,} families each)",
            nothing,
            lambda each: each.family_false_positives,
        ),
        _by_size(
            "Intervals of the difference that hold the truth, %",
            figures,
            lambda each: each.difference_coverage,
        ),
        _by_size(
            "Intervals of a mean that hold the truth, %", figures, lambda each: each.mean_coverage
        ),
        _by_size("Comparisons without an interval, %", figures, lambda each: each.without_interval),
        _gains(gains),
    ]


def print_tables(tables: Sequence[TextTable]) -> None:
    """Print them for people."""
    for each in tables:
        table = Table(*each.headings, title=each.title, box=box.SIMPLE_HEAD, title_justify="left")
        for row in each.rows:
            table.add_row(*row)
        Console().print(table)


def as_markdown(tables: Sequence[TextTable]) -> str:
    """The same for a page."""
    return "".join(map(_markdown, tables))


def _by_size(
    title: str, figures: Sequence["Figures"], value: Callable[["Figures"], float | None]
) -> TextTable:
    sizes = sorted({each.cases for each in figures})
    names = dict.fromkeys(each.population for each in figures)
    shown = {(each.population, each.cases): _percent(value(each)) for each in figures}
    rows = [[name, *(shown[name, size] for size in sizes)] for name in names]
    return TextTable(title, ["scores", *(f"{size} cases" for size in sizes)], rows)


def _gains(gains: Sequence[PairingGain]) -> TextTable:
    rows = [
        [
            each.scores,
            str(each.paired),
            str(each.unpaired),
            f"{each.saved:.0%}",
            f"{each.unpaired_power:.0%}",
        ]
        for each in gains
    ]
    title = "Cases needed on each side to find a difference with a chance of 80 %"
    headings = ["scores", "paired", "unpaired", "fewer", "chance unpaired, as many as paired"]
    return TextTable(title, headings, rows)


def _percent(share: float | None) -> str:
    return _NOT_ENOUGH if share is None else f"{100 * share:.1f}"


def _markdown(table: TextTable) -> str:
    ruler = ["---", *("---:" for _ in table.headings[1:])]
    lines = [f"| {' | '.join(row)} |" for row in (table.headings, ruler, *table.rows)]
    return f"\n### {table.title}\n\n" + "\n".join(lines) + "\n"
