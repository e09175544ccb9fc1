"""Batch test: variant combinations x test cases x repetitions of one workflow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.evaluator import EvaluatorChoice, check_keys, entry_key
from wtb_async.domain.events import BatchExtended, BatchScoringRequested
from wtb_async.domain.graph_choice import Combination
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.transitions import TransitionTable
from wtb_async.domain.variant_matrix import with_names


class BatchStatus(StrEnum):
    """Where a batch test stands."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = BatchStatus

BATCH_TRANSITIONS = TransitionTable(
    "batch test",
    {
        _S.PENDING: frozenset({_S.RUNNING, _S.CANCELLED}),
        _S.RUNNING: frozenset({_S.PAUSED, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
        _S.PAUSED: frozenset({_S.RUNNING, _S.CANCELLED}),
        _S.COMPLETED: frozenset({_S.RUNNING}),
        _S.FAILED: frozenset({_S.RUNNING}),
        _S.CANCELLED: frozenset(),
    },
)


GROWS_IN = frozenset({_S.PENDING, _S.RUNNING, _S.COMPLETED})
"""What was stopped halfway is finished first: growing starts nothing again."""


class ScoringMode(StrEnum):
    """What becomes of the evaluators that a batch test has already."""

    ADD = "add"
    """They stay, with what they said."""
    REPLACE = "replace"
    """They go, with what they said."""
    RETRY = "retry"
    """They stay, and those that failed are called again where they did; there are no others."""


@dataclass(eq=False, kw_only=True)
class TestCase:
    """A named input with optional reference outputs, of one batch test or of a dataset.

    It never changes: a dataset's case that is edited ends with one version, and another one with
    the same key begins.
    """

    __test__ = False  # pytest would take it for a class of tests.

    id: UUID
    key: str
    """The caller's own id of the case, unique in its batch test or version of a dataset."""
    position: int
    input: JsonObject
    reference: JsonValue = None
    annotations: JsonObject = field(default_factory=dict)
    batch_test_id: UUID | None = None
    dataset_id: UUID | None = None
    since_version: int | None = None
    """The first version of the dataset that has the case."""
    until_version: int | None = None
    """The first version that has it no more; None while the newest has it."""


@dataclass(eq=False, kw_only=True)
class BatchTest:
    """What the user asked to compare; it owns its executions."""

    id: UUID
    workflow_id: UUID
    name: str
    combinations: list[Combination]
    baseline: Combination
    evaluators: list[JsonValue]
    """As `EvaluatorChoice.to_stored` writes them, of every kind."""
    repetitions: int
    total: int
    limits: JsonObject
    created_by: str
    created_at: datetime
    share_prefixes: bool = True
    """Executions of one input and repetition run as one until their variants differ."""
    dataset_id: UUID | None = None
    dataset_version: int | None = None
    """The version that it runs on, whatever becomes of the dataset."""
    case_limit: int | None = None
    """How many cases of that version were asked for; None is all of them."""
    status: BatchStatus = BatchStatus.PENDING
    version: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def check_grows(self) -> None:
        """Raise `InvalidTransition` unless new executions may join it."""
        if self.status not in GROWS_IN:
            raise InvalidTransition(
                f"a {self.status.value} batch test takes nothing new; resume it first"
            )

    def extend(
        self, combinations: Sequence[Combination], *, cases: int, repetitions: int
    ) -> BatchExtended:
        """Become the product of these, which hold all that it was the product of.

        Raises:
            InvalidTransition: it was stopped halfway.
        """
        self.check_grows()
        before = self.total
        self.combinations = list(combinations)
        [self.baseline] = with_names([self.baseline], list(combinations[0]))
        self.repetitions = repetitions
        self.total = len(combinations) * cases * repetitions
        self.version += 1
        if self.status is BatchStatus.COMPLETED:
            self.status = BatchStatus.RUNNING
            self.finished_at = None
        return BatchExtended(pool=DEFAULT_POOL, added=self.total - before, total=self.total)

    def score_again(
        self, choices: Sequence[EvaluatorChoice], mode: ScoringMode
    ) -> BatchScoringRequested:
        """Have other evaluators look at what it has run; one that has ended goes on until then.

        Raises:
            InvalidInput: two evaluators would share a key, or they do not go with the mode.
            InvalidTransition: it was cancelled.
        """
        _check_goes_with(mode, choices)
        kept = [] if mode is ScoringMode.REPLACE else self.evaluators
        check_keys(choices, map(entry_key, kept))
        if self.status not in {_S.PENDING, _S.RUNNING, _S.PAUSED}:
            BATCH_TRANSITIONS.check(self.status, _S.RUNNING)
            self.status, self.finished_at = _S.RUNNING, None
        self.evaluators = [*kept, *(choice.to_stored() for choice in choices)]
        self.version += 1
        return BatchScoringRequested(mode=mode.value, evaluators=len(choices))


def _check_goes_with(mode: ScoringMode, choices: Sequence[EvaluatorChoice]) -> None:
    if choices and mode is ScoringMode.RETRY:
        raise InvalidInput.of("evaluators", "a retry calls those that the batch test has")
    if not choices and mode is not ScoringMode.RETRY:
        raise InvalidInput.of("evaluators", "name at least one evaluator of any kind")
