"""What a mean or a verdict does not speak of: executions without the score."""

from wtb_async.domain.comparison import Cell
from wtb_async.domain.gate.gate import Outcome


def outcome(*, holds: bool, cell: Cell) -> Outcome:
    """What becomes of a condition; a good figure is doubtful where executions are left out.

    Those that failed might well be the ones that would have spoilt it.
    """
    if holds:
        return Outcome.FAILED
    return Outcome.DOUBTFUL if cell.failures or cell.unscored else Outcome.PASSED


def left_out(cell: Cell) -> str:
    """Say how many executions a figure does not speak of, to be put after it."""
    failed = f"; {cell.failures} executions failed" if cell.failures else ""
    unscored = f"; {cell.unscored} completed without this score" if cell.unscored else ""
    return failed + unscored
