"""Execution: what the user asked for and sees."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.events import (
    ExecutionCancelled,
    ExecutionPauseRequested,
    ExecutionResumed,
    ExecutionRolledBack,
    ExecutionStopRequested,
    StateEditRequested,
)
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.run import Run
from wtb_async.domain.transitions import TransitionTable


class ExecutionStatus(StrEnum):
    """Where an execution stands in its life."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PauseReason(StrEnum):
    """Why an execution is paused."""

    COMMAND = "command"
    BREAKPOINT = "breakpoint"
    INTERRUPT = "interrupt"
    BATCH = "batch"


_S = ExecutionStatus

EXECUTION_TRANSITIONS = TransitionTable(
    "execution",
    {
        _S.PENDING: frozenset({_S.RUNNING, _S.CANCELLED}),
        _S.RUNNING: frozenset({_S.PAUSED, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
        _S.PAUSED: frozenset({_S.PENDING, _S.PAUSED, _S.CANCELLED}),
        _S.COMPLETED: frozenset({_S.PAUSED}),
        _S.FAILED: frozenset({_S.PENDING, _S.PAUSED}),
        _S.CANCELLED: frozenset({_S.PENDING, _S.PAUSED}),
    },
)

ENDED = (_S.COMPLETED, _S.FAILED, _S.CANCELLED)
"""The statuses that only a new command leads out of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one execution may take.

    `timeout_seconds` is for one run, `node_timeout_seconds` for one attempt of one node.
    `recursion_limit` counts the supersteps of the execution's timeline over all of its runs;
    LangGraph's own default of more than ten thousand would let an endless loop run for hours.
    """

    timeout_seconds: float | None = None
    node_timeout_seconds: float | None = None
    recursion_limit: int = 100
    max_attempts: int = 3


@dataclass(frozen=True, slots=True)
class Breakpoints:
    """The nodes before and after which an execution pauses."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def to_json(self) -> JsonObject:
        """The shape that the API takes and that is stored."""
        return {"before": list(self.before), "after": list(self.after)}

    def by_field(self) -> dict[str, str]:
        """Each node under the field that names it."""
        sides = (("before", self.before), ("after", self.after))
        return {
            f"breakpoints.{side}.{at}": node
            for side, nodes in sides
            for at, node in enumerate(nodes)
        }

    @classmethod
    def from_json(cls, stored: JsonObject) -> "Breakpoints":
        """What `to_json` gave; what is missing is empty."""
        return cls(tuple(stored.get("before", ())), tuple(stored.get("after", ())))


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run failed: the exception's type and message, and the node that raised it."""

    type: str
    message: str
    node: str | None = None

    def to_json(self) -> JsonObject:
        """The shape that the API shows."""
        return {"type": self.type, "message": self.message, "node": self.node}


NO_BREAKPOINTS = Breakpoints()


@dataclass(eq=False, kw_only=True)
class Execution:
    """One input through one workflow with one choice of variants."""

    id: UUID
    workflow_id: UUID
    run_id: UUID
    """The run that works for this execution now, or did so last."""
    thread_id: UUID
    input: JsonObject
    created_by: str
    created_at: datetime
    status: ExecutionStatus = ExecutionStatus.PENDING
    pause_reason: PauseReason | None = None
    output: JsonValue = None
    error: JsonObject | None = None
    variants: dict[str, str] = field(default_factory=dict)
    workflow_variant: str | None = None
    breakpoints: JsonObject = field(default_factory=dict)
    """What `Breakpoints.to_json` gives."""
    stream: list[str] = field(default_factory=list)
    """The LangGraph stream modes that its event stream carries."""
    checkpoint_id: str | None = None
    next_nodes: list[str] = field(default_factory=list)
    interrupts: list[JsonObject] = field(default_factory=list)
    batch_test_id: UUID | None = None
    test_case_id: UUID | None = None
    repetition: int = 0
    parent_execution_id: UUID | None = None
    attempt: int = 1
    version: int = 1
    annotations: JsonObject = field(default_factory=dict)
    """The caller's `metadata`; SQLAlchemy keeps that name for itself."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: float | None = None

    def ask_to_pause(self, at_node: str | None) -> ExecutionPauseRequested:
        """Note that its runner is to pause it."""
        self.version += 1
        return ExecutionPauseRequested(at_node=at_node, batch_test_id=self.batch_test_id)

    def ask_to_stop(self) -> ExecutionStopRequested:
        """Note that its runner is to stop it."""
        self.version += 1
        return ExecutionStopRequested(batch_test_id=self.batch_test_id)

    def cancel(self, at: datetime) -> ExecutionCancelled:
        """End it while no runner has it. Raises InvalidTransition."""
        self.move_to(ExecutionStatus.CANCELLED)
        self.pause_reason = None
        self.interrupts = []
        self.finished_at = at
        return ExecutionCancelled(batch_test_id=self.batch_test_id, duration_ms=self.duration_ms)

    def resume(self, run: Run) -> ExecutionResumed:
        """Let it go on with another run. Raises InvalidTransition."""
        self._wait_for(run)
        return ExecutionResumed(pool=run.pool, batch_test_id=self.batch_test_id)

    def edit(self, run: Run) -> StateEditRequested:
        """Let another run change its state. Raises InvalidTransition."""
        self._wait_for(run)
        return StateEditRequested(pool=run.pool, batch_test_id=self.batch_test_id)

    def roll_back(
        self,
        thread_id: UUID,
        checkpoint_id: str,
        next_nodes: list[str],
        file_commit_id: UUID | None = None,
    ) -> ExecutionRolledBack:
        """Stand at a checkpoint again, on another thread. Raises InvalidTransition."""
        self.move_to(ExecutionStatus.PAUSED)
        self.pause_reason = PauseReason.COMMAND
        self.thread_id, self.checkpoint_id, self.next_nodes = thread_id, checkpoint_id, next_nodes
        self.output = self.error = self.finished_at = None
        self.interrupts = []
        return ExecutionRolledBack(
            thread_id=thread_id,
            checkpoint_id=checkpoint_id,
            file_commit_id=file_commit_id,
            batch_test_id=self.batch_test_id,
        )

    def _wait_for(self, run: Run) -> None:
        self.move_to(ExecutionStatus.PENDING)
        self.run_id, self.thread_id, self.attempt = run.id, run.thread_id, run.attempt
        self.pause_reason = self.error = self.finished_at = None
        self.interrupts = []

    def move_to(self, status: ExecutionStatus) -> None:
        """Change the status. Raises InvalidTransition unless the table allows it."""
        EXECUTION_TRANSITIONS.check(self.status, status)
        self.status = status
        self.version += 1
