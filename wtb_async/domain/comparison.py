"""What a comparison of variant combinations consists of: values only, no calculation."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wtb_async.domain.workflow import BASE_VARIANT

LATENCY = "wtb.latency"
"""The score that the platform adds by itself: milliseconds, lower is better."""

Combination = Mapping[str, str]
"""One choice of variants: node name to variant name. A node that is not named is the original."""


class Verdict(StrEnum):
    """What the data say about one combination against the baseline."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference shown"
    NOT_ENOUGH_DATA = "not enough data"


@dataclass(frozen=True, kw_only=True)
class ScoredRow:
    """One execution of a batch test with its scores; only a completed one has any."""

    combination: Combination
    test_case_id: str
    repetition: int
    status: str
    scores: Mapping[str, float | bool]
    duration_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """Combination minus baseline, paired by test case, in the score's own unit.

    `p_value` and `p_corrected` are None when the data cannot decide anything; `p_corrected`
    accounts for the number of combinations that were compared on this evaluator.
    """

    pairs: int
    mean: float
    interval: Interval | None
    p_value: float | None
    p_corrected: float | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination on one evaluator.

    `n` counts test cases with a score (repetitions are averaged first), `spread` is the standard
    deviation over them. `failures` counts failed executions, `unscored` completed ones that this
    evaluator gave no score. `paired` is None for the baseline and where no test case is shared.
    """

    combination: Combination
    n: int
    mean: float | None
    spread: float | None
    interval: Interval | None
    paired: PairedDifference | None
    failures: int
    unscored: int


@dataclass(frozen=True, kw_only=True)
class EvaluatorComparison:
    """All combinations on one evaluator, best first, and what that means in one sentence."""

    key: str
    higher_is_better: bool
    cells: tuple[Cell, ...]
    verdict: Verdict
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The verdict of a batch test.

    `ranking` orders the combinations by the first evaluator; the next ones decide ties.
    """

    baseline: Combination
    evaluators: tuple[EvaluatorComparison, ...]
    ranking: tuple[Combination, ...]


def combination_label(combination: Combination) -> str:
    """Name a combination the same way everywhere: `reranker=overlap, retriever=bm25`."""
    choices = [f"{node}={variant}" for node, variant in sorted(combination.items())]
    return ", ".join(choices) or BASE_VARIANT
