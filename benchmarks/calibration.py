"""Whether the statistics behind a verdict keep what they promise, on data whose truth is known.

Simulates families of comparisons in which nothing is better or worse, and counts how often the
product's own functions say otherwise, and how often their intervals hold the truth. Ends with 1 if
a promise is broken. The same experiments every time.

    python benchmarks/calibration.py [--quick] [--experiments 10000] [--json FILE] [--markdown FILE]

`--markdown` replaces what stands below the line `<!-- calibration -->` in the file.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from calibration_tables import as_markdown, calibration_tables, print_tables
from pairing_gain import pairing_gains
from simulated_scores import Population, populations

from wtb_async.domain.statistics.families import holm
from wtb_async.domain.statistics.kinds import statistics_for
from wtb_async.domain.statistics.scores import ALPHA, Limits, Samples, ScoreStatistics

CASES = (10, 20, 50, 100, 200, 500)
QUICK_CASES = (20, 50, 200)
FAMILY = 8
_SEED = 20_261_121
_NUMBERS_AT_ONCE = 2_000_000
_MARK = "<!-- calibration -->\n"

MOST_FALSE_POSITIVES = 0.055
LEAST_COVERAGE, MOST_COVERAGE = 0.94, 0.97
ALWAYS_ENOUGH = 50
"""From so many cases on "not enough data" is no answer."""


@dataclass(frozen=True)
class Figures:
    """What one population and number of cases gave; shares between 0 and 1.

    None stands for "not enough data", and for false positives where a difference is true.
    """

    population: str
    cases: int
    families: int
    discrete: bool
    null: bool
    false_positives: float | None
    family_false_positives: float | None
    difference_coverage: float | None
    mean_coverage: float | None
    without_interval: float


def calibrate(
    population: Population,
    cases: int,
    families: int,
    statistics: ScoreStatistics | None = None,
) -> Figures:
    """Simulate families of comparisons of one population.

    A single comparison is every member of every family, so its figures rest on eight times as many
    experiments as those of the families.
    """
    blocks = [
        _Block.of(baseline, combination, population, statistics)
        for baseline, combination in _experiments(population, cases, families)
    ]
    null = population.difference == 0
    return Figures(
        population=population.name,
        cases=cases,
        families=families,
        discrete=population.discrete,
        null=null,
        false_positives=_share(block.positive for block in blocks) if null else None,
        family_false_positives=_share(block.family_positive for block in blocks) if null else None,
        difference_coverage=_share(block.difference_held for block in blocks),
        mean_coverage=_share(block.mean_held for block in blocks),
        without_interval=float(np.isnan(_joined(block.difference_held for block in blocks)).mean()),
    )


@dataclass(frozen=True)
class _Block:
    """Some experiments: 1 for yes, 0 for no, NaN for "not enough data"."""

    positive: Samples
    family_positive: Samples
    difference_held: Samples
    mean_held: Samples

    @classmethod
    def of(
        cls,
        baseline: Samples,
        combination: Samples,
        population: Population,
        statistics: ScoreStatistics | None,
    ) -> "_Block":
        statistics = statistics or statistics_for(np.concatenate([baseline, combination]))
        differences = combination - baseline
        cases = len(differences)
        p_values = statistics.p_value(differences)
        corrected = np.array([min(holm(list(family))) for family in p_values])
        alone, together = (
            1.0 if cases >= statistics.cases_needed(comparisons) else np.nan
            for comparisons in (1, FAMILY)
        )
        return cls(
            positive=np.where(p_values <= ALPHA, alone, 0 * alone),
            family_positive=np.where(corrected <= ALPHA, together, 0 * together),
            difference_held=_held(statistics.difference_limits(differences), population.difference),
            mean_held=_held(statistics.mean_limits(combination), population.mean),
        )


def _experiments(
    population: Population, cases: int, families: int
) -> Iterator[tuple[Samples, Samples]]:
    rng = np.random.default_rng([_SEED, zlib.crc32(population.name.encode()), cases])
    at_once = max(1, _NUMBERS_AT_ONCE // (cases * FAMILY))
    for start in range(0, families, at_once):
        yield population.draw(rng, (cases, min(at_once, families - start), FAMILY))


def _held(limits: Limits, truth: float) -> Samples:
    low, high = limits
    # The truth itself may be off by a rounding error.
    inside = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    return np.where(np.isnan(low), np.nan, inside)


def _share(answers: Iterable[Samples]) -> float | None:
    every = _joined(answers)
    given = every[~np.isnan(every)]
    return float(given.mean()) if given.size else None


def _joined(answers: Iterable[Samples]) -> Samples:
    return np.concatenate([each.ravel() for each in answers])


def broken_promises(figures: Sequence[Figures], *, standard_errors: float = 0.0) -> list[str]:
    """Say where the statistics promise more than they keep.

    Few experiments need an allowance of some standard errors; many need none.
    """
    return [
        f"{each.population}, {each.cases} cases: {problem}"
        for each in figures
        for problem in _problems(each, standard_errors)
    ]


def _problems(figures: Figures, standard_errors: float) -> Iterator[str]:
    alone, family = (
        standard_errors * np.sqrt(ALPHA * (1 - ALPHA) / count)
        for count in (figures.families * FAMILY, figures.families)
    )
    rates = (
        ("false positives", figures.false_positives, alone),
        ("false positives in a family", figures.family_false_positives, family),
    )
    for name, rate, allowance in rates:
        if rate is None and figures.null and figures.cases >= ALWAYS_ENOUGH:
            yield f"{name} unknown, no verdict was given"
        if rate is not None and rate > MOST_FALSE_POSITIVES + allowance:
            yield f"{name} {rate:.1%}"
    for name, coverage in (
        ("difference", figures.difference_coverage),
        ("mean", figures.mean_coverage),
    ):
        if coverage is None:
            if figures.cases >= ALWAYS_ENOUGH:
                yield f"no interval of the {name}"
            continue
        most = 1.0 if figures.discrete else MOST_COVERAGE
        if not LEAST_COVERAGE - alone <= coverage <= most + alone:
            yield f"the interval of the {name} holds the truth in {coverage:.1%}"


def main() -> int:
    """Simulate, print, and tell by the exit code whether all promises are kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--experiments", type=int, default=10_000, help="families per setting")
    parser.add_argument("--quick", action="store_true", help="few experiments, some sizes")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--markdown", type=Path, help="also replace the tables in this file")
    arguments = parser.parse_args()
    families = 500 if arguments.quick else arguments.experiments
    sizes = QUICK_CASES if arguments.quick else CASES
    figures = [calibrate(each, cases, families) for each in populations() for cases in sizes]
    gains = pairing_gains(400 if arguments.quick else 2_000)
    tables = calibration_tables(figures, gains)
    print_tables(tables)
    if arguments.json:
        everything = {"settings": list(map(asdict, figures)), "pairing": list(map(asdict, gains))}
        arguments.json.write_text(json.dumps(everything, indent=2))
    if arguments.markdown:
        text, mark, _ = arguments.markdown.read_text().partition(_MARK)
        arguments.markdown.write_text(text + (mark or _MARK) + as_markdown(tables))
    broken = broken_promises(figures, standard_errors=4.0 if arguments.quick else 0.0)
    print("\n".join(broken) or "All promises are kept.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
