"""What a comparison of variant combinations consists of: values only, no calculation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

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


class SignificanceTest(StrEnum):
    """How the p-values of one evaluator were found."""

    EXACT_MCNEMAR = "exact McNemar test"
    SKEWNESS_GUARDED_T = "skewness-guarded t-test"


class Effect(StrEnum):
    """The unit of an effect size.

    `d_z` is the mean difference in standard deviations of the differences, zero for no effect.
    `odds ratio` is how many cases were won for each one lost, 1 for no effect.
    """

    D_Z = "d_z"
    ODDS_RATIO = "odds ratio"


@dataclass(frozen=True, kw_only=True)
class ScoredRow:
    """One execution of a batch test with its scores; only a completed one has any."""

    combination: Combination
    test_case_id: str
    repetition: int
    status: str
    scores: Mapping[str, float | bool]
    duration_ms: float | None
    preferences: Mapping[str, float] = field(default_factory=dict)
    """1 where this execution was preferred to the baseline's, 0 where not, 0.5 for a tie."""
    lower_is_better: Collection[str] = ()
    """The keys of those scores of which less is better."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """Combination minus baseline, paired by test case, in the score's own unit.

    `interval` holds for this comparison alone, as does `p_value`, and the two agree; `p_corrected`
    and with it the verdict account for the number of combinations that were compared on this
    evaluator. Both p-values are None where there are too few pairs for a verdict; the interval is
    None where the data do not support one. `effect_size` is in the evaluator's unit of effect.
    `minimum_detectable` is the mean difference, in the score's unit, that a comparison like this
    one finds with a chance of 80 % after correction: a smaller one may well be there unseen.
    """

    pairs: int
    mean: float
    interval: Interval | None
    p_value: float | None
    p_corrected: float | None
    effect_size: float | None
    minimum_detectable: float | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination on one evaluator.

    `n` counts test cases with a score (repetitions are averaged first), `spread` is the standard
    deviation over them, `interval` that of their mean, None where the data do not support one.
    `failures` counts failed executions, `unscored` completed ones that this evaluator gave no
    score. `paired` is None for the baseline and where no test case is shared.
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
    """All combinations on one evaluator, best first, and what that means in one sentence.

    `pairs_needed` is the fewest test cases shared with the baseline for a verdict.
    """

    key: str
    higher_is_better: bool
    test: SignificanceTest
    effect: Effect
    pairs_needed: int
    cells: tuple[Cell, ...]
    verdict: Verdict
    sentence: str


class Pairing(StrEnum):
    """Which combinations of two batch tests are compared."""

    COMBINATIONS = "combinations"
    """Each with itself: both batch tests ran the same ones."""
    BASELINES = "baselines"
    """Only the two baselines."""


@dataclass(frozen=True, kw_only=True)
class OtherBatch:
    """The batch test that another one is compared with."""

    batch_test_id: UUID
    name: str
    baseline: Combination
    pairing: Pairing


@dataclass(frozen=True, kw_only=True)
class PreferenceCell:
    """How often one combination was preferred to the baseline.

    `won`, `lost` and `tied` count test cases, each by the mean over its repetitions; `rate` is the
    share of cases won, a tie counting half, with its interval. `paired` speaks of the share of
    cases won less the share of cases lost.
    """

    combination: Combination
    won: int
    lost: int
    tied: int
    rate: float
    interval: Interval | None
    paired: PairedDifference


@dataclass(frozen=True, kw_only=True)
class PreferenceComparison:
    """All combinations on one pairwise evaluator, the most preferred first."""

    key: str
    test: SignificanceTest
    pairs_needed: int
    cells: tuple[PreferenceCell, ...]
    verdict: Verdict
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a summary evaluator said of one combination as a whole; a single value has no test."""

    combination: Combination
    key: str
    score: float | bool | None
    comment: str | None
    error: str | None
    higher_is_better: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The verdict of a batch test.

    `ranking` orders the combinations by the first evaluator; the next ones decide ties. Every
    `paired` is a difference to the baseline, or to the batch test in `against` if there is one.
    """

    baseline: Combination
    evaluators: tuple[EvaluatorComparison, ...]
    ranking: tuple[Combination, ...]
    preferences: tuple[PreferenceComparison, ...] = ()
    summaries: tuple[Summary, ...] = ()
    against: OtherBatch | None = None

    def __str__(self) -> str:
        return "\n".join(evaluator.sentence for evaluator in self.evaluators)


def combination_label(combination: Combination) -> str:
    """Name a combination the same way everywhere: `reranker=overlap, retriever=bm25`."""
    choices = [f"{node}={variant}" for node, variant in sorted(combination.items())]
    return ", ".join(choices) or BASE_VARIANT
