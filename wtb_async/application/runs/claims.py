"""What passes between the database and a runner: claims going out, outcomes coming back."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from wtb_async.domain.events import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionSettled,
)
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, Limits, PauseReason, RunError
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.run import Run, RunStatus
from wtb_async.domain.run_request import RunRequest, StateEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRun:
    """A run that this runner holds, with all it needs to execute it."""

    id: UUID
    execution_id: UUID
    execution_version: int
    """The version that the claim gave the execution: the number of its latest event."""
    thread_id: UUID
    timeline_id: UUID
    workflow_id: UUID
    workflow_version: int
    variants: dict[str, str]
    workflow_variant: str | None
    attempt: int
    limits: Limits
    input: JsonObject
    batch_test_id: UUID | None
    resumes: bool
    """The thread may hold checkpoints already: go on from its head instead of starting."""
    from_checkpoint_id: str | None = None
    """Where somebody let it go on: breakpoints there have been heeded."""
    edit: StateEdit | None = None
    request: RunRequest | None = None
    """What an earlier attempt was asked for and did not live to grant."""
    breakpoints: Breakpoints = NO_BREAKPOINTS
    stream: tuple[str, ...] = ()
    """The LangGraph stream modes that somebody wants to see."""
    gates: tuple[str, ...] = ()
    """The nodes in front of which the executions part that this run serves."""
    spent_ms: float | None = None
    """After a split: the time that the runs before it took. It goes on by itself."""

    @property
    def is_last_attempt_after_losses(self) -> bool:
        """Earlier attempts lost their runner, and there will be no other one."""
        return 1 < self.attempt >= self.limits.max_attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended, ready to be settled."""

    run_id: UUID
    status: RunStatus
    duration_ms: float
    output: JsonValue = None
    error: RunError | None = None
    pause_reason: PauseReason | None = None
    checkpoint_id: str | None = None
    next_nodes: tuple[str, ...] = ()
    interrupts: tuple[JsonObject, ...] = ()
    of_group: bool = False
    """The run may serve several executions, which do not share their threads from here on."""
    reached: tuple[str, ...] = ()
    """The gates in front of which a run was split."""

    def event(self) -> ExecutionSettled:
        """The fact that the execution's history gains."""
        if self.status is RunStatus.COMPLETED:
            return ExecutionCompleted(duration_ms=self.duration_ms)
        if self.status is RunStatus.CANCELLED:
            return ExecutionCancelled(duration_ms=self.duration_ms)
        if self.pause_reason is not None:
            return ExecutionPaused(reason=self.pause_reason.value, duration_ms=self.duration_ms)
        if self.error is None:
            raise ValueError(f"a {self.status.value} run needs an error")
        return ExecutionFailed(error=self.error.to_json(), duration_ms=self.duration_ms)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a settling has changed."""

    kept: frozenset[UUID] = frozenset()
    """The runs that have ended; others were not this runner's any more."""
    limited: frozenset[UUID] = frozenset()
    """The batch tests that limit how many of their runs are executed, and have places now."""

    @classmethod
    def of(cls, ended: Iterable[Run]) -> "Settlement":
        """What the end of these runs has changed."""
        runs = list(ended)
        limited = (run.limited_by for run in runs)
        return cls(frozenset(run.id for run in runs), frozenset(filter(None, limited)))

    def __or__(self, other: "Settlement") -> "Settlement":
        return Settlement(self.kept | other.kept, self.limited | other.limited)


def cancelled(run: ClaimedRun | Run) -> RunOutcome:
    """The end of a run that somebody stopped."""
    return RunOutcome(
        run_id=run.id, status=RunStatus.CANCELLED, duration_ms=0.0, of_group=bool(run.gates)
    )
