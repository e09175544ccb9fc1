"""Batch test: variant combinations x test cases x repetitions of one workflow."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.events import BatchExtended
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
    evaluators: list[str]
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


def score_key(evaluator: str) -> str:
    """The key under which an evaluator scores unless it names one itself.

    Built-in evaluators (`wtb.latency`) score under their own name, others (`module:function`)
    under their function's.
    """
    return evaluator.rpartition(":")[2]
