"""A comparison as tables and sentences."""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wtb_async.cli.preference_tables import print_preferences, print_summaries
from wtb_async.domain.comparison import (
    Cell,
    Comparison,
    EvaluatorComparison,
    OtherBatch,
    PairedDifference,
    Pairing,
    Verdict,
    combination_label,
)

_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red"}
_MISSING = "-"
_FIGURES = (
    "mean",
    "spread",
    "difference",
    "95 % interval",
    "p",
    "effect",
    "MDE",
    "verdict",
    "cases",
)


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print one ranked table per evaluator, then every verdict as a sentence."""
    if comparison.against is not None:
        console.print(_rival(comparison.against), markup=False, soft_wrap=True)
    for evaluator in filter(lambda each: each.cells, comparison.evaluators):
        console.print(title_of(evaluator), style="bold", markup=False)
        console.print(_table(evaluator, comparison))
    print_preferences(console, comparison.preferences)
    print_summaries(console, comparison.summaries)
    sentences = [each.sentence for each in comparison.evaluators]
    sentences += [each.sentence for each in comparison.preferences]
    for sentence in sentences:
        console.print(f"• {sentence}", markup=False, soft_wrap=True)


def title_of(evaluator: EvaluatorComparison) -> str:
    """What the table of an evaluator is about."""
    direction = "higher" if evaluator.higher_is_better else "lower"
    methods = f"{evaluator.test}, effect: {evaluator.effect}"
    return f"{evaluator.key} ({direction} is better, {methods})"


def _rival(other: OtherBatch) -> str:
    compared = f"Differences are those to batch test {other.name!r} ({other.batch_test_id})"
    if other.pairing is Pairing.COMBINATIONS:
        return f"{compared}, combination by combination."
    baseline = combination_label(other.baseline)
    return f"{compared}, whose combinations are others: baseline to baseline ({baseline})."


def _table(evaluator: EvaluatorComparison, comparison: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in headings(comparison):
        if heading in comparison.baseline:
            table.add_column(escape(heading), overflow="fold")
        else:
            table.add_column(heading, justify="left" if heading == "verdict" else "right")
    for cell, row in zip(evaluator.cells, table_rows(evaluator, comparison), strict=True):
        table.add_row(*map(escape, row), style=_style(cell))
    return table


def headings(comparison: Comparison) -> list[str]:
    """The columns of a comparison: the rank, a column for each node, the figures."""
    return ["#", *sorted(comparison.baseline), *_FIGURES]


def table_rows(evaluator: EvaluatorComparison, comparison: Comparison) -> Iterator[list[str]]:
    """A comparison on one evaluator as text, a row for each combination, the best one first."""
    baseline = comparison.baseline if comparison.against is None else None
    for rank, cell in enumerate(evaluator.cells, start=1):
        variants = [variant for _, variant in sorted(cell.combination.items())]
        verdict = "(baseline)" if cell.combination == baseline else _MISSING
        yield [str(rank), *variants, *_figures(cell, verdict)]


def _figures(cell: Cell, verdict: str) -> tuple[str, ...]:
    difference = _difference(cell.paired) if cell.paired else (*[_MISSING] * 5, verdict)
    return (
        _number(cell.mean),
        _number(cell.spread),
        *difference,
        f"{cell.n}, {cell.failures} failed" if cell.failures else str(cell.n),
    )


def _difference(paired: PairedDifference) -> tuple[str, ...]:
    within = paired.interval
    interval = f"{_signed(within.low)} to {_signed(within.high)}" if within else _MISSING
    p_value = _MISSING if paired.p_corrected is None else f"{paired.p_corrected:.3f}"
    effect = _MISSING if paired.effect_size is None else f"{paired.effect_size:z.2f}"
    detectable = _number(paired.minimum_detectable)
    return _signed(paired.mean), interval, p_value, effect, detectable, paired.verdict.value


def _style(cell: Cell) -> str:
    return _STYLES.get(cell.paired.verdict, "") if cell.paired else ""


def _number(value: float | None) -> str:
    if value is None:
        return _MISSING
    return f"{value:z.{_digits(value)}f}"


def _signed(value: float) -> str:
    return f"{value:+z.{_digits(value)}f}"


def _digits(value: float) -> int:
    """Scores need three digits after the point, milliseconds in the tens one."""
    return 3 if abs(value) < 10 else 1  # noqa: PLR2004
