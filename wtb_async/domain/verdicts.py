"""The verdict of one evaluator in one plain sentence."""

from collections.abc import Sequence

from wtb_async.domain.comparison import (
    LATENCY,
    Cell,
    PairedDifference,
    PreferenceCell,
    Verdict,
    combination_label,
)

THE_BASELINE = "the baseline"
"""What the combinations of one batch test are compared with, in sentences."""

_PRECEDENCE = (Verdict.BETTER, Verdict.WORSE, Verdict.NO_DIFFERENCE)

_Contest = tuple[str, PairedDifference]
"""A combination's label and its difference to the baseline."""


def overall_verdict(cells: Sequence[Cell | PreferenceCell]) -> Verdict:
    """Say what the evaluator shows: better if any combination is, else worse if any is."""
    verdicts = {cell.paired.verdict for cell in cells if cell.paired}
    return next((each for each in _PRECEDENCE if each in verdicts), Verdict.NOT_ENOUGH_DATA)


def verdict_sentence(
    key: str,
    cells: Sequence[Cell],
    *,
    higher_is_better: bool,
    pairs_needed: int,
    rival: str = THE_BASELINE,
) -> str:
    """Say in one sentence what the evaluator shows, and how much did not take part in it.

    `rival` names what the cells are compared with: "is better than the baseline".
    """
    unit = unit_of(key)
    finding = (
        _not_enough(cells, pairs_needed, rival)
        if overall_verdict(cells) is Verdict.NOT_ENOUGH_DATA
        else _finding(cells, rival, higher_is_better=higher_is_better, unit=unit)
    )
    failures = sum(cell.failures for cell in cells)
    missing = f" ({_count(failures, 'failed execution')} left out)" if failures else ""
    return f"{key}: {finding}{missing}."


def standing(paired: PairedDifference, *, higher_is_better: bool, unit: str) -> str:
    """Say on which side of its rival a combination is, by how much, and how sure that is."""
    ahead = (paired.mean > 0) is higher_is_better
    unseen = _unseen(paired, unit) if paired.verdict is Verdict.NO_DIFFERENCE else ""
    return f"{'ahead' if ahead else 'behind'} by {_evidence(paired, unit)}{unseen}"


def unit_of(key: str) -> str:
    """What follows a number of this score."""
    return " ms" if key == LATENCY else ""


def preference_sentence(key: str, cells: Sequence[PreferenceCell], pairs_needed: int) -> str:
    """Say in one sentence which combination is preferred to the baseline."""
    verdict = overall_verdict(cells)
    if verdict is Verdict.NOT_ENOUGH_DATA:
        contests = [(combination_label(cell.combination), cell.paired) for cell in cells]
        return f"{key}: not enough data, {_too_few(contests, pairs_needed)}."
    decided = [cell for cell in cells if cell.paired.verdict is verdict]
    clearest = max(decided, key=lambda cell: abs(cell.paired.mean))
    label = combination_label(clearest.combination)
    if verdict is Verdict.NO_DIFFERENCE:
        return f"{key}: no preference shown, {label} {_record_of(clearest)}."
    side = f"{label} is preferred to" if verdict is Verdict.BETTER else f"{label} loses against"
    others = _more([(label, cell.paired) for cell in decided])
    return f"{key}: {side} the baseline, it {_record_of(clearest)}{others}."


def _record_of(cell: PreferenceCell) -> str:
    within = cell.interval
    interval = f"{within.low:.0%} to {within.high:.0%}, " if within else ""
    wins = f"wins {_count(cell.won, 'case')}, loses {cell.lost} and ties {cell.tied}"
    return f"{wins} ({cell.rate:.0%}, {interval}{_p_value(cell.paired)})"


def _finding(cells: Sequence[Cell], rival: str, *, higher_is_better: bool, unit: str) -> str:
    verdict = overall_verdict(cells)
    decided = [contest for contest in _contests(cells) if contest[1].verdict is verdict]
    label, largest = max(decided, key=lambda contest: abs(contest[1].mean))
    if verdict is Verdict.NO_DIFFERENCE:
        side = standing(largest, higher_is_better=higher_is_better, unit=unit)
        return f"no difference to {rival} shown, the largest is {label} {side}"
    return f"{label} is {verdict} than {rival} by {_evidence(largest, unit)}{_more(decided)}"


def _contests(cells: Sequence[Cell]) -> list[_Contest]:
    return [(combination_label(cell.combination), cell.paired) for cell in cells if cell.paired]


def _not_enough(cells: Sequence[Cell], pairs_needed: int, rival: str) -> str:
    contests = _contests(cells)
    if contests:
        return f"not enough data, {_too_few(contests, pairs_needed)}"
    return f"not enough data, {_none_of(cells, rival)}"


def _none_of(cells: Sequence[Cell], rival: str) -> str:
    if not cells:
        return "nothing has been run"
    if len(cells) == 1 and rival == THE_BASELINE:
        return "only one combination was run"
    return f"no test case has a score both on {rival} and elsewhere"


def _too_few(contests: Sequence[_Contest], pairs_needed: int) -> str:
    pairs = max(paired.pairs for _, paired in contests)
    compared = _count(len(contests), "comparison")
    return f"{_count(pairs, 'paired test case')} cannot decide {compared}, {pairs_needed} may"


def _evidence(paired: PairedDifference, unit: str) -> str:
    """Give the size of a difference without its sign, which the sentence has already told."""
    size = f"{_number(abs(paired.mean))}{unit}"
    if paired.interval is None:
        return f"{size} ({_p_value(paired)})"
    within = paired.interval
    low, high = (within.low, within.high) if paired.mean >= 0 else (-within.high, -within.low)
    return f"{size} ({_number(low)} to {_number(high)}, {_p_value(paired)})"


def _unseen(paired: PairedDifference, unit: str) -> str:
    """Say how large a difference would have shown, which tells "none" from "cannot see"."""
    if paired.minimum_detectable is None:
        return ""
    return f"; one of {_number(paired.minimum_detectable)}{unit} would show 4 times in 5"


def _more(decided: Sequence[_Contest]) -> str:
    others = len(decided) - 1
    if others == 0:
        return ""
    return f", and so {'is' if others == 1 else 'are'} {_count(others, 'other combination')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _number(value: float) -> str:
    """Two digits after the point for scores, none where the value is large (milliseconds)."""
    if 0 < abs(value) < 0.1:  # noqa: PLR2004
        return f"{value:.2g}"
    return f"{value:z.2f}" if abs(value) < 10 else f"{value:,.0f}"  # noqa: PLR2004


def _p_value(paired: PairedDifference) -> str:
    """Give the p-value that the verdict stands on; the interval is that of one comparison alone."""
    p = paired.p_corrected
    if p is None:
        return "p unknown"
    corrected = " after correction" if p != paired.p_value else ""
    return (f"p = {p:.2g}" if p >= 0.001 else "p < 0.001") + corrected  # noqa: PLR2004
