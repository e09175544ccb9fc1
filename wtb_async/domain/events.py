"""Facts, in the past tense; each is written in the transaction of the change it speaks of."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.json import JsonObject, JsonValue


class Aggregate(StrEnum):
    """Whose history an event belongs to; events of one aggregate are relayed in order."""

    WORKFLOW = "workflow"
    EXECUTION = "execution"
    BATCH_TEST = "batch_test"
    RUNNER = "runner"
    DATASET = "dataset"
    INTEGRITY_REPORT = "integrity_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """A fact about one aggregate; the class's name is the event's type."""

    @property
    def type(self) -> str:
        """The name under which the event is stored, relayed and shown."""
        return type(self).__name__

    def data(self) -> JsonObject:
        """The event's fields, ready for JSON."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: object) -> JsonValue:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"an event cannot carry {type(value).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRegistered(DomainEvent):
    """A graph can be run under this name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowChanged(DomainEvent):
    """A workflow or one of its variants was added, changed or removed."""

    name: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCreated(DomainEvent):
    """An execution was accepted and waits for a runner of `pool`."""

    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStarted(DomainEvent):
    """A runner claimed the execution's run."""

    run_id: UUID
    attempt: int
    batch_test_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionTakenOver(DomainEvent):
    """The runner was lost; another attempt goes on from the last checkpoint."""

    pool: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSettled(DomainEvent):
    """What every end of a run says: which batch the execution belongs to, and how long it took."""

    batch_test_id: UUID | None = None
    is_scored: bool | None = None
    """Whether the batch has evaluators, which look at what has ended."""
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCompleted(ExecutionSettled):
    """The graph reached its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFailed(ExecutionSettled):
    """A node raised, a limit was passed, or every attempt lost its runner."""

    error: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPaused(ExecutionSettled):
    """The graph waits at a boundary."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCancelled(ExecutionSettled):
    """Somebody stopped the execution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPauseRequested(DomainEvent):
    """Its runner is to pause it, at the next superstep boundary or before a node."""

    batch_test_id: UUID | None = None
    at_node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStopRequested(DomainEvent):
    """Its runner is to stop it."""

    batch_test_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResumed(DomainEvent):
    """It waits for a runner of `pool` to go on."""

    pool: str
    batch_test_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEditRequested(DomainEvent):
    """It waits for a runner of `pool` to apply new values to its state."""

    pool: str
    batch_test_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRolledBack(DomainEvent):
    """It stands at an earlier checkpoint, on a fork of its timeline."""

    thread_id: UUID
    checkpoint_id: str
    file_commit_id: UUID | None = None
    """The files that it has there; None when there are none."""
    batch_test_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionBranched(DomainEvent):
    """It began at a checkpoint of another execution; `pool` has a runner for it if it starts."""

    pool: str
    thread_id: UUID
    parent_execution_id: UUID
    checkpoint_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCreated(DomainEvent):
    """Test cases can be kept under this name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDescribed(DomainEvent):
    """A dataset has another name or description."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetChanged(DomainEvent):
    """A dataset has a version with other test cases, `cases` in all."""

    added: int
    changed: int
    removed: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetDeleted(DomainEvent):
    """A dataset is gone with all its versions."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerStarted(DomainEvent):
    """A runner has a lease, and claims runs."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerStopped(DomainEvent):
    """A runner gave its lease back in good order."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerLost(DomainEvent):
    """A runner's lease ran out; its runs are taken over."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """An event in the outbox: relayed at least once, in order per aggregate."""

    id: int
    aggregate: Aggregate
    aggregate_id: UUID
    sequence: int
    """The aggregate's version after the change: gapless per aggregate, from 1."""
    type: str
    data: JsonObject
    created_at: datetime
    available_at: datetime
    attempts: int = 0
    sent_at: datetime | None = None
    dead_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one aggregate, as it goes to the audit trail and the outbox."""

    aggregate: Aggregate
    aggregate_id: UUID
    version: int
    event: DomainEvent
    actor: str
    status_before: str | None = None
    status_after: str | None = None
