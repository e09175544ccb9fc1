"""Batch test: variant combinations x test cases x repetitions of one workflow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.batch_events import (
    BatchExtended,
    BatchGivenUp,
    BatchPauseRequested,
    BatchResumed,
    BatchRetried,
    BatchScoringRequested,
    BatchStopRequested,
)
from wtb_async.domain.command import CommandKind
from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.evaluator import EvaluatorChoice, check_keys, entry_key
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
        _S.PENDING: frozenset({_S.RUNNING, _S.PAUSED, _S.CANCELLED}),
        _S.RUNNING: frozenset({_S.PAUSED, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
        _S.PAUSED: frozenset({_S.RUNNING, _S.CANCELLED}),
        _S.COMPLETED: frozenset({_S.RUNNING}),
        _S.FAILED: frozenset({_S.RUNNING}),
        _S.CANCELLED: frozenset({_S.RUNNING}),
    },
)

BATCH_ENDED = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED})
"""The statuses that only a new command leads out of."""

BATCH_ACCEPTED_IN: dict[CommandKind, frozenset[BatchStatus]] = {
    CommandKind.PAUSE: frozenset({_S.PENDING, _S.RUNNING}),
    CommandKind.RESUME: frozenset({_S.PAUSED, _S.FAILED, _S.CANCELLED}),
    CommandKind.STOP: frozenset({_S.PENDING, _S.RUNNING, _S.PAUSED}),
    CommandKind.RETRY_FAILED: frozenset({_S.RUNNING, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
    CommandKind.EXTEND: frozenset({_S.PENDING, _S.RUNNING, _S.COMPLETED}),
    CommandKind.SCORE: frozenset(BatchStatus),
}
"""The statuses in which a batch test takes each command.

What was stopped halfway is finished before it grows, because growing starts nothing again.
"""


def check_batch_accepts(
    status: BatchStatus, becomes: BatchStatus | None, kind: CommandKind
) -> None:
    """Raise `InvalidTransition` unless a batch test takes this command.

    One that is about to be paused takes what a paused one takes; one that is being ended nothing.
    """
    if becomes in (BatchStatus.CANCELLED, BatchStatus.FAILED):
        raise InvalidTransition("the batch test is being stopped")
    stands, accepted = becomes or status, BATCH_ACCEPTED_IN.get(kind, frozenset())
    if stands in accepted:
        return
    helps = _S.RUNNING in accepted and stands in BATCH_ACCEPTED_IN[CommandKind.RESUME]
    hint = "; resume it first" if helps else ""
    raise InvalidTransition(f"a {stands.value} batch test does not take {kind.value!r}{hint}")


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
    max_concurrency: int | None = None
    """How many of its runs may be executed at once; None leaves that to the runners."""
    max_failures: int | None = None
    """It is given up when more executions than this have failed; None never gives it up."""
    forgiven_failures: int = 0
    """Failures that it was resumed in spite of: they do not count."""
    status: BatchStatus = BatchStatus.PENDING
    becomes: BatchStatus | None = None
    """Paused, cancelled or failed as soon as none of it runs; None is completed in the end."""
    error: JsonObject | None = None
    version: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def check_grows(self) -> None:
        """Raise `InvalidTransition` unless new executions may join it."""
        check_batch_accepts(self.status, self.becomes, CommandKind.EXTEND)

    def ask_to_pause(self) -> BatchPauseRequested:
        """Begin nothing more, and be paused when nothing runs. Raises InvalidTransition."""
        self._take(CommandKind.PAUSE)
        self.becomes = BatchStatus.PAUSED
        return BatchPauseRequested(pool=DEFAULT_POOL)

    def ask_to_stop(self) -> BatchStopRequested:
        """Be cancelled when nothing of it runs. Raises InvalidTransition."""
        self._take(CommandKind.STOP)
        self.becomes = BatchStatus.CANCELLED
        return BatchStopRequested(pool=DEFAULT_POOL)

    def give_up(self) -> BatchGivenUp:
        """Have failed when nothing of it runs: too many executions did."""
        message = f"limits.max_failures is {self.max_failures}, and more executions have failed"
        self.error = {"type": "TooManyFailures", "message": message}
        self.becomes = BatchStatus.FAILED
        self.version += 1
        return BatchGivenUp(pool=DEFAULT_POOL, error=self.error)

    def resume(self, *, failures: int, at: datetime) -> BatchResumed:
        """Go on. The `failures` that made it fail count no more. Raises InvalidTransition."""
        self._take(CommandKind.RESUME)
        if self.status is BatchStatus.FAILED:
            self.forgiven_failures = failures
        self._go_on(at)
        return BatchResumed(pool=DEFAULT_POOL)

    def retry_failed(self, *, at: datetime) -> BatchRetried:
        """Go on with what has failed. Raises InvalidTransition."""
        self._take(CommandKind.RETRY_FAILED)
        self.forgiven_failures = 0
        self._go_on(at)
        return BatchRetried(pool=DEFAULT_POOL)

    def fails_with(self, failures: int) -> bool:
        """Whether so many failed executions are more than it may have, and it is to be given up."""
        if self.max_failures is None or not (self.is_going_on or self.becomes is _S.PAUSED):
            return False
        return failures > self.max_failures + self.forgiven_failures

    @property
    def is_going_on(self) -> bool:
        """It runs or will, and nobody wants it otherwise."""
        return self.becomes is None and self.status in (BatchStatus.PENDING, BatchStatus.RUNNING)

    @property
    def is_partly_finished(self) -> bool:
        """It ended before all of it had run."""
        return self.status in (BatchStatus.CANCELLED, BatchStatus.FAILED)

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

        One that was stopped or given up ends as that again.

        Raises:
            InvalidInput: two evaluators would share a key, or they do not go with the mode.
            InvalidTransition: it is being stopped.
        """
        _check_goes_with(mode, choices)
        kept = [] if mode is ScoringMode.REPLACE else self.evaluators
        check_keys(choices, map(entry_key, kept))
        self._take(CommandKind.SCORE)
        if self.status in BATCH_ENDED:
            self.becomes = self.status if self.is_partly_finished else None
            BATCH_TRANSITIONS.check(self.status, BatchStatus.RUNNING)
            self.status, self.finished_at = BatchStatus.RUNNING, None
        self.evaluators = [*kept, *(choice.to_stored() for choice in choices)]
        return BatchScoringRequested(mode=mode.value, evaluators=len(choices))

    def _take(self, kind: CommandKind) -> None:
        check_batch_accepts(self.status, self.becomes, kind)
        self.version += 1

    def _go_on(self, at: datetime) -> None:
        if self.status not in (BatchStatus.PENDING, BatchStatus.RUNNING):
            BATCH_TRANSITIONS.check(self.status, BatchStatus.RUNNING)
            self.status = BatchStatus.RUNNING
            self.started_at = self.started_at or at
        self.becomes = self.error = self.finished_at = None


def _check_goes_with(mode: ScoringMode, choices: Sequence[EvaluatorChoice]) -> None:
    if choices and mode is ScoringMode.RETRY:
        raise InvalidInput.of("evaluators", "a retry calls those that the batch test has")
    if not choices and mode is not ScoringMode.RETRY:
        raise InvalidInput.of("evaluators", "name at least one evaluator of any kind")
