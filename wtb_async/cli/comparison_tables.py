"""A comparison as tables and sentences."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wtb_async.domain.comparison import (
    Cell,
    Combination,
    Comparison,
    EvaluatorComparison,
    PairedDifference,
    Verdict,
)

_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red"}
_MISSING = "-"


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print one ranked table per evaluator, then every verdict as a sentence."""
    for evaluator in filter(lambda each: each.cells, comparison.evaluators):
        direction = "higher" if evaluator.higher_is_better else "lower"
        methods = f"{evaluator.test}, effect: {evaluator.effect}"
        title = f"{evaluator.key} ({direction} is better, {methods})"
        console.print(title, style="bold", markup=False)
        console.print(_table(evaluator, comparison.baseline))
    for evaluator in comparison.evaluators:
        console.print(f"• {evaluator.sentence}", markup=False, soft_wrap=True)


def _table(evaluator: EvaluatorComparison, baseline: Combination) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("#", justify="right")
    for node in sorted(baseline):
        table.add_column(node, overflow="fold")
    for heading in ("mean", "spread", "difference", "95 % interval", "p", "effect", "MDE"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    table.add_column("cases", justify="right")
    for rank, cell in enumerate(evaluator.cells, start=1):
        variants = [escape(variant) for _, variant in sorted(cell.combination.items())]
        verdict = "(baseline)" if cell.combination == baseline else _MISSING
        table.add_row(str(rank), *variants, *_figures(cell, verdict), style=_style(cell))
    return table


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
