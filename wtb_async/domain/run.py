"""Run, thread and runner: the machinery behind an execution."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.json import JsonObject
from wtb_async.domain.run_request import RequestKind, RunRequest
from wtb_async.domain.transitions import TransitionTable


class RunStatus(StrEnum):
    """Where a run stands: a run is claimed once and ends once.

    Runners see those that are pending. A waiting run has no place yet among the runs that its
    batch test may have executed at once, a held one belongs to a batch test that is paused.
    """

    WAITING = "waiting"
    HELD = "held"
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    SPLIT = "split"
    """The executions that it served have parted, and other runs go on with them."""


_S = RunStatus

RUN_TRANSITIONS = TransitionTable(
    "run",
    {
        _S.WAITING: frozenset({_S.PENDING, _S.HELD, _S.CANCELLED}),
        _S.HELD: frozenset({_S.WAITING, _S.PENDING, _S.CANCELLED}),
        _S.PENDING: frozenset({_S.RUNNING, _S.HELD, _S.CANCELLED}),
        _S.RUNNING: frozenset(
            {_S.PAUSED, _S.COMPLETED, _S.FAILED, _S.CANCELLED, _S.LOST, _S.SPLIT}
        ),
        _S.PAUSED: frozenset(),
        _S.COMPLETED: frozenset(),
        _S.FAILED: frozenset(),
        _S.CANCELLED: frozenset(),
        _S.LOST: frozenset(),
        _S.SPLIT: frozenset(),
    },
)

UNCLAIMED = (_S.WAITING, _S.HELD, _S.PENDING)
"""The statuses in which no runner has taken a run yet."""

DEFAULT_POOL = "default"


@dataclass(eq=False, kw_only=True)
class Run:
    """One invocation of a graph on one thread by one runner: what is claimed, leased, executed."""

    id: UUID
    thread_id: UUID
    workflow_id: UUID
    created_at: datetime
    pool: str = DEFAULT_POOL
    status: RunStatus = RunStatus.PENDING
    position: int | None = None
    """The database's sequence: runs of a pool are claimed in this order."""
    variants: dict[str, str] = field(default_factory=dict)
    workflow_variant: str | None = None
    gates: list[str] = field(default_factory=list)
    """The nodes in front of which its executions part. Without any it serves one execution only."""
    spent_ms: float | None = None
    """After a split: what the runs before it took, which counts against its own time."""
    attempt: int = 1
    limits: JsonObject = field(default_factory=dict)
    timeline_id: UUID
    """Stays the same when a lost run is taken over: steps that are run again are the same steps."""
    from_checkpoint_id: str | None = None
    """Where somebody let it go on; None when it starts from the input, or goes on by itself."""
    edit: JsonObject | None = None
    """A `StateEdit`: applied once, before the run goes on."""
    request: JsonObject | None = None
    """A `RunRequest`: what was asked for while the run was executed."""
    limited_by: UUID | None = None
    """The batch test that has only so many runs executed at once; None if nothing limits it."""
    runner_id: UUID | None = None
    error: JsonObject | None = None
    claimed_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_of_group(self) -> bool:
        """It may serve several executions, and has not ended."""
        return bool(self.gates) and self.status in (*UNCLAIMED, RunStatus.RUNNING)

    @property
    def is_unclaimed(self) -> bool:
        """No runner has taken it yet."""
        return self.status in UNCLAIMED

    @property
    def status_of_next(self) -> RunStatus:
        """How a run begins that goes on with what this one served."""
        return RunStatus.WAITING if self.limited_by else RunStatus.PENDING

    @property
    def must_stop(self) -> bool:
        """Somebody wants it to stop."""
        request = self.request
        return request is not None and RunRequest.from_json(request).kind is RequestKind.STOP

    def cancel(self, at: datetime) -> None:
        """End it before a runner has claimed it. Raises InvalidTransition."""
        RUN_TRANSITIONS.check(self.status, RunStatus.CANCELLED)
        self.status = RunStatus.CANCELLED
        self.finished_at = at


class ForkReason(StrEnum):
    """Why a thread came to be."""

    START = "start"
    TAKEOVER = "takeover"
    ROLLBACK = "rollback"
    BRANCH = "branch"
    SPLIT = "split"
    """Executions that shared it go on, or have ended, on copies of their own."""
    LEAVE = "leave"
    """An execution leaves those that go on sharing it."""


@dataclass(eq=False, kw_only=True)
class Thread:
    """One LangGraph timeline of checkpoints; never rewritten, only forked."""

    id: UUID
    created_at: datetime
    reason: ForkReason = ForkReason.START
    parent_id: UUID | None = None
    fork_checkpoint_id: str | None = None


class RunnerStatus(StrEnum):
    """Whether a runner's lease stands."""

    ALIVE = "alive"
    STOPPED = "stopped"
    LOST = "lost"


RUNNER_TRANSITIONS = TransitionTable(
    "runner",
    {
        RunnerStatus.ALIVE: frozenset({RunnerStatus.STOPPED, RunnerStatus.LOST}),
        RunnerStatus.STOPPED: frozenset(),
        RunnerStatus.LOST: frozenset(),
    },
)


@dataclass(eq=False, kw_only=True)
class Runner:
    """One life of a process that executes runs; its heartbeat leases all of them."""

    id: UUID
    name: str
    pool: str
    host: str
    pid: int
    slots: int
    started_at: datetime
    heartbeat_at: datetime
    status: RunnerStatus = RunnerStatus.ALIVE
    alone_run_id: UUID | None = None
    """The run that it executes with nothing beside it: if it is lost now, that run is to blame."""
