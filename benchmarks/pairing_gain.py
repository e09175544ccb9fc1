"""How many test cases a paired comparison saves against one on different cases for each side."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from simulated_scores import Draw, Shape, binary

from wtb_async.domain.statistics.kinds import statistics_for
from wtb_async.domain.statistics.scores import ALPHA, POWER, Samples

_SEED = 20_261_122
_MOST_CASES = 4_096

_PValues = Callable[[np.random.Generator, int], Samples]
"""The p-values of as many experiments as asked for, each with the given number of cases."""


@dataclass(frozen=True)
class PairingGain:
    """Cases needed on each side to find a difference with a chance of 80 %.

    `unpaired_power` is the chance that remains without pairing, with as many cases as pairing
    needs.
    """

    scores: str
    paired: int
    unpaired: int
    unpaired_power: float

    @property
    def saved(self) -> float:
        """The share of cases that pairing saves."""
        return 1 - self.paired / self.unpaired


def pairing_gains(experiments: int) -> list[PairingGain]:
    """Search the numbers of cases for scores of several kinds, by simulation."""
    return [_gain(name, draw, experiments) for name, draw in _scores().items()]


def _gain(name: str, draw: Draw, experiments: int) -> PairingGain:
    together, apart = _paired(draw, experiments), _unpaired(draw, experiments)
    paired = _cases_needed(f"{name} paired", together)
    return PairingGain(
        scores=name,
        paired=paired,
        unpaired=_cases_needed(f"{name} unpaired", apart),
        unpaired_power=_power(f"{name} unpaired", apart, paired),
    )


def _scores() -> dict[str, Draw]:
    return {
        "normal, r = 0.5, 0.3 sd better": _numeric(np.random.Generator.standard_normal, 0.5, 0.3),
        "normal, r = 0.8, 0.3 sd better": _numeric(np.random.Generator.standard_normal, 0.8, 0.3),
        "exponential, r = 0.5, 0.3 sd better": _numeric(_exponential, 0.5, 0.3),
        "exponential, r = 0.8, 0.3 sd better": _numeric(_exponential, 0.8, 0.3),
        "yes-or-no, 0.60 to 0.75, half of the cases equally hard": binary(0.6, 0.75, 0.5),
        "yes-or-no, 0.60 to 0.75, 80 % of the cases equally hard": binary(0.6, 0.75, 0.8),
    }


def _exponential(rng: np.random.Generator, shape: Shape) -> Samples:
    return rng.standard_exponential(shape)


def _numeric(
    hardness: Callable[[np.random.Generator, Shape], Samples], correlation: float, gain: float
) -> Draw:
    """Both sides share how hard a case is, and each adds something of its own."""

    def draw(rng: np.random.Generator, shape: Shape) -> tuple[Samples, Samples]:
        shared, *own = (hardness(rng, shape) for _ in range(3))
        baseline, combination = (
            np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * each for each in own
        )
        return baseline, combination + gain

    return draw


def _paired(draw: Draw, experiments: int) -> _PValues:
    def p_values(rng: np.random.Generator, cases: int) -> Samples:
        baseline, combination = draw(rng, (cases, experiments))
        statistics = statistics_for(np.concatenate([baseline, combination]))
        enough = cases >= statistics.cases_needed(1)
        return statistics.p_value(combination - baseline) if enough else np.ones(experiments)

    return p_values


def _unpaired(draw: Draw, experiments: int) -> _PValues:
    """Welch's t-test, and for 0 and 1 the test of two shares: neither is conservative."""

    def p_values(rng: np.random.Generator, cases: int) -> Samples:
        (baseline, _), (_, combination) = (draw(rng, (cases, experiments)) for _ in range(2))
        if np.isin(baseline, (0.0, 1.0)).all():
            return _two_shares(baseline.mean(axis=0), combination.mean(axis=0), cases)
        found: Samples = stats.ttest_ind(baseline, combination, axis=0, equal_var=False).pvalue
        return found

    return p_values


def _two_shares(ours: Samples, theirs: Samples, cases: int) -> Samples:
    pooled = (ours + theirs) / 2
    error = np.sqrt(np.maximum(2 * pooled * (1 - pooled) / cases, 1e-12))
    p_values: Samples = 2 * stats.norm.sf(np.abs(ours - theirs) / error)
    return p_values


def _cases_needed(name: str, p_values: _PValues) -> int:
    """The fewest cases with a power of 80 %, by bisection."""
    too_few, enough = 2, _MOST_CASES
    while enough - too_few > 1:
        cases = (too_few + enough) // 2
        if _power(name, p_values, cases) < POWER:
            too_few = cases
        else:
            enough = cases
    return enough


def _power(name: str, p_values: _PValues, cases: int) -> float:
    rng = np.random.default_rng([_SEED, zlib.crc32(name.encode()), cases])
    return float(np.mean(p_values(rng, cases) <= ALPHA))
