"""Whether one batch test comes out the same on two benches."""

from wtb_async.sdk.parity.checker import ParityChecker
from wtb_async.sdk.parity.report import Discrepancy, DiscrepancyKind, ParityReport
from wtb_async.sdk.parity.tolerance import Tolerance

__all__ = ["Discrepancy", "DiscrepancyKind", "ParityChecker", "ParityReport", "Tolerance"]
