"""Populations of scores with a known truth, from which the calibration draws its experiments."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wtb_async.domain.statistics.scores import Samples

Shape = tuple[int, ...]
"""Axis 0 is the test cases."""

Draw = Callable[[np.random.Generator, Shape], tuple[Samples, Samples]]
"""Draws the scores of the baseline and of a combination on the same test cases."""

_RATINGS = np.arange(1.0, 6.0)
_RATING_SHARES = np.array([0.1, 0.15, 0.3, 0.3, 0.15])


@dataclass(frozen=True)
class Population:
    """A kind of score.

    `mean` and `difference` are the true mean of the combination and its true mean difference to
    the baseline. Intervals may be conservative where scores are `discrete`.
    """

    name: str
    draw: Draw
    mean: float = 0.0
    difference: float = 0.0
    discrete: bool = False


def populations() -> list[Population]:
    """What the calibration is about: yes-or-no, symmetric, skewed, heavy-tailed and tied scores."""
    return [
        *(_yes_or_no(rate, same) for rate in (0.5, 0.8, 0.95) for same in (0.3, 0.8)),
        Population("yes-or-no 0.60 to 0.75", binary(0.6, 0.75, 0.5), 0.75, 0.15, discrete=True),
        Population("normal", differing(lambda rng, shape: rng.normal(size=shape))),
        Population("exponential", differing(lambda rng, shape: rng.exponential(size=shape) - 1)),
        Population("lognormal", differing(_lognormal)),
        Population("Student t, 3 d.f.", differing(lambda rng, s: rng.standard_t(3, size=s))),
        Population("Student t, 2 d.f.", differing(lambda rng, s: rng.standard_t(2, size=s))),
        _rated("ratings 1 to 5", same=0.6),
        _rated("ratings, few differ", same=0.9),
        Population("3 repetitions, yes-or-no", _three_repetitions, 2 / 3, discrete=True),
    ]


def differing(difference: Callable[[np.random.Generator, Shape], Samples]) -> Draw:
    """Draw combinations whose difference to a baseline of zeros has the given distribution."""

    def draw(rng: np.random.Generator, shape: Shape) -> tuple[Samples, Samples]:
        return np.zeros(shape), difference(rng, shape)

    return draw


def binary(baseline: float, combination: float, same: float) -> Draw:
    """Draw 0 or 1 at two rates; a share of the cases is equally hard for both, the rest is not."""

    def draw(rng: np.random.Generator, shape: Shape) -> tuple[Samples, Samples]:
        hardness = rng.random(shape)
        other = np.where(rng.random(shape) < same, hardness, rng.random(shape))
        return (hardness < baseline).astype(float), (other < combination).astype(float)

    return draw


def _yes_or_no(rate: float, same: float) -> Population:
    name = f"yes-or-no {rate:.2f}, r = {same}"
    return Population(name, binary(rate, rate, same), mean=rate, discrete=True)


def _lognormal(rng: np.random.Generator, shape: Shape) -> Samples:
    """Skewness 6.2."""
    centred: Samples = rng.lognormal(0.0, 1.0, size=shape) - np.exp(0.5)
    return centred


def _rated(name: str, same: float) -> Population:
    def draw(rng: np.random.Generator, shape: Shape) -> tuple[Samples, Samples]:
        baseline, fresh = rng.choice(_RATINGS, p=_RATING_SHARES, size=(2, *shape))
        return baseline, np.where(rng.random(shape) < same, baseline, fresh)

    return Population(name, draw, mean=float(_RATINGS @ _RATING_SHARES), discrete=True)


def _three_repetitions(rng: np.random.Generator, shape: Shape) -> tuple[Samples, Samples]:
    """Case means of three runs whose chance differs from case to case."""
    chance = rng.beta(2.0, 1.0, size=shape)
    baseline, combination = rng.binomial(3, chance, size=(2, *shape)) / 3
    return baseline, combination
