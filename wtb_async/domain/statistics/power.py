"""How large a difference of shares has to be for McNemar's exact test to find it."""

import numpy as np
from scipy import optimize, stats

from wtb_async.domain.statistics.scores import POWER, Samples

_NEGLIGIBLE = 1e-9


def detectable_share(differing: float, pairs: int, alpha: float) -> float | None:
    """Return the difference of shares that McNemar's exact test finds with a chance of 80 %.

    `differing` is the share of pairs that differ, or as many as the difference itself makes
    differ. None where too few pairs find even a difference of 1.
    """

    def missing(difference: float) -> float:
        return mcnemar_power(difference, max(differing, difference), pairs, alpha) - POWER

    return float(optimize.brentq(missing, 0.0, 1.0, xtol=1e-6)) if missing(1.0) >= 0 else None


def mcnemar_power(difference: float, differing: float, pairs: int, alpha: float) -> float:
    """Return how often McNemar's exact test finds a difference of shares.

    Sums over the number of differing pairs, as Duffy (1984), Asymptotic and Exact Power for the
    McNemar Test and Its Analogue with R Controls per Case, Biometrics 40, 1005-1015.
    """
    if pairs * differing < _NEGLIGIBLE:
        return 0.0
    ends = stats.binom.ppf([_NEGLIGIBLE, 1 - _NEGLIGIBLE], pairs, differing)
    counts = np.arange(ends[0], ends[1] + 1)
    critical = _critical_losses(counts, alpha)
    won = (1 + difference / differing) / 2
    found = stats.binom.cdf(critical, counts, 1 - won) + stats.binom.cdf(critical, counts, won)
    return float(found @ stats.binom.pmf(counts, pairs, differing))


def _critical_losses(counts: Samples, alpha: float) -> Samples:
    """The most losses among so many differing pairs that still are significant, -1 for none."""
    nearest = stats.binom.ppf(alpha / 2, counts, 0.5)
    beyond = stats.binom.cdf(nearest, counts, 0.5) > alpha / 2
    return np.asarray(nearest - beyond, dtype=float)
