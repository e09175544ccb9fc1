"""What the application needs from outside, as protocols; `infrastructure` keeps the promises."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from wtb_async.application.batches.repositories import (
    BatchCaseRepository,
    BatchExecutionRepository,
)
from wtb_async.application.batches.scoring import (
    ScoredExecution,
    ScoringJob,
    SummaryJob,
    SummaryScore,
)
from wtb_async.application.datasets.repositories import DatasetRepository, TestCaseRepository
from wtb_async.application.executions.plan import ExecutionPlan
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome, Settlement
from wtb_async.application.runs.groups import Parting, RunGroup
from wtb_async.application.runs.signals import RunSignals
from wtb_async.application.views import CheckpointView, LiveEventView, NodeBoundaryView
from wtb_async.domain.batch_test import BatchTest, ScoringMode
from wtb_async.domain.command import Command
from wtb_async.domain.event_position import EventPosition
from wtb_async.domain.events import Change, OutboxEvent
from wtb_async.domain.execution import Execution, Limits
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.run import Run, Runner, Thread
from wtb_async.domain.run_request import RunRequest
from wtb_async.domain.stream_mode import StreamMode
from wtb_async.domain.workflow import Workflow


class WorkflowRepository(Protocol):
    """Workflows with their variants."""

    def add(self, workflow: Workflow) -> None:
        """Keep a new workflow; its name must be free when the unit of work commits."""

    async def get(self, name_or_id: str | UUID, *, for_update: bool = False) -> Workflow:
        """The workflow with its variants. Raises NotFound."""

    async def find(self, name: str) -> Workflow | None:
        """The workflow with this name, locked for a change, or None."""


class ExecutionRepository(Protocol):
    """Executions, each with the run and the thread that work for it."""

    def add(self, plan: ExecutionPlan) -> None:
        """Insert the plan's executions, runs and threads when the unit of work commits."""

    def add_one(self, execution: Execution) -> None:
        """Keep a new execution whose run and thread exist."""

    async def get(self, execution_id: UUID) -> tuple[Execution, Run]:
        """An execution and its latest run. Raises NotFound."""

    async def lock(self, execution_id: UUID) -> tuple[Execution, Run]:
        """An execution and its latest run for a change, the run locked first. Raises NotFound."""

    async def forget_scores(self, execution_id: UUID) -> None:
        """Drop what evaluators said of an outcome that no longer stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A thread to make, and what it takes along of the superstep that follows its last checkpoint.

    The thread names its parent and the root checkpoint to fork at; None is the parent's head.
    """

    thread: Thread
    keeps_writes: bool = True
    """Tasks of that superstep that had finished are not run again; False runs all of it again."""


@dataclass(frozen=True, slots=True)
class LostRun:
    """A running run whose runner's lease ran out."""

    run: Run
    charged: bool
    """The loss costs it an attempt; not so when another run was being executed alone."""

    @property
    def is_over(self) -> bool:
        """There will be no other attempt, because none is left or its runner was to stop it."""
        last = self.run.attempt >= Limits(**self.run.limits).max_attempts
        return self.run.must_stop or (self.charged and last)


@dataclass(frozen=True, slots=True)
class Takeover:
    """A lost run's successor, on a fork of its thread."""

    lost: LostRun
    successor: Run
    thread: Thread


class ThreadRepository(Protocol):
    """Timelines of checkpoints."""

    async def fork(self, forks: Sequence[Fork]) -> None:
        """Make threads as copies of their parents up to a checkpoint. Raises NotFound."""

    async def answer(
        self,
        thread_id: UUID,
        checkpoint_id: str,
        answers: Mapping[str, JsonValue],
        values: JsonObject,
    ) -> None:
        """Answer open interrupts at a thread's head, and add values to its state.

        Raises InvalidInput when an answer is not what its question takes.
        """


class Timelines(Protocol):
    """Reads what has happened; checkpoints never change, so no transaction is needed."""

    async def checkpoint(self, thread_id: UUID, checkpoint_id: UUID) -> CheckpointView:
        """A root checkpoint on the lineage of this thread. Raises NotFound."""

    async def last_visit(
        self, execution_id: UUID, node: str, *, completed: bool
    ) -> NodeBoundaryView | None:
        """The last time that the execution's timeline came to a node of the graph itself."""


@dataclass(frozen=True, slots=True)
class RunChoice:
    """Which graph an execution runs, with which variants of its nodes."""

    workflow_id: UUID
    workflow_variant: str | None
    variants: dict[str, str]


class RunRepository(Protocol):
    """Runs on their way through the runners."""

    async def add(self, run: Run) -> None:
        """Insert a run; its thread exists."""

    async def claim_pending(self, runner_id: UUID, pool: str, limit: int) -> list[ClaimedRun]:
        """Give this runner up to `limit` pending runs, oldest first, and start their executions.

        Rows that other runners are claiming are passed over, never waited for.
        """

    async def settle(self, runner_id: UUID, outcomes: Sequence[RunOutcome]) -> Settlement:
        """End runs and their executions, with audit entries and outbox events.

        Only runs that this runner still holds are touched. A run that paused although it was asked
        to stop is cancelled.
        """

    async def lock_groups(self, runner_id: UUID, run_ids: Collection[UUID]) -> list[RunGroup]:
        """Those of the runs that this runner still holds, locked with their executions."""

    async def part(self, partings: Sequence[Parting]) -> None:
        """Fork threads, add the runs that go on, and move executions; their runs are locked."""

    async def end_split(self, run_ids: Collection[UUID]) -> None:
        """End runs whose executions have all gone on with others; they are locked."""

    async def serves_anybody(self, run_id: UUID) -> bool:
        """Whether an execution has this run."""

    async def held_by(self, runner_id: UUID, but: Collection[UUID]) -> list[ClaimedRun]:
        """The runs that this runner has claimed and not settled, without those in `but`."""

    async def requests(self, runner_id: UUID) -> dict[UUID, RunRequest]:
        """What is asked of the runs that this runner holds."""

    async def lock_of_lost_runners(self) -> list[LostRun]:
        """The running runs whose runner lives no more, locked; those locked already are left."""

    async def hand_over(self, takeovers: Sequence[Takeover]) -> None:
        """Fork each lost run's thread at its head and point its execution at the successor."""

    async def open_choices(self) -> list[RunChoice]:
        """What executions with a pending or running run have chosen, each choice once."""

    async def assign_pool(self, choice: RunChoice, pool: str) -> None:
        """Let a pool execute the open runs of this choice from their next claim on.

        A run that several executions share is one of each of their choices.
        """

    async def pending_count(self, pool: str) -> int:
        """How many runs wait for a runner of this pool."""


class RunnerRepository(Protocol):
    """Runners and their leases."""

    async def register(self, runner: Runner) -> None:
        """Begin a new life of a runner, its lease counted from now."""

    async def beat(self, runner_id: UUID) -> bool:
        """Renew the lease; False when it was lost already."""

    async def lose_silent(self, lease_seconds: float) -> list[Runner]:
        """Mark the runners lost whose last heartbeat is older than the lease."""

    async def lose_earlier_lives(self, name: str, but: UUID) -> list[Runner]:
        """Mark earlier lives of this runner lost: a name has one living process."""

    async def living(self, lease_seconds: float) -> list[str]:
        """The names of the runners whose lease stands."""

    async def silent(self, pool: str) -> list[str]:
        """The names whose newest life was lost: nobody has heard of them since."""

    async def note_alone(self, runner_id: UUID, run_id: UUID | None) -> None:
        """Say which run is being executed alone, or that none is any more."""

    async def stop(self, runner_id: UUID) -> None:
        """End the lease in good order."""


class BatchTestRepository(Protocol):
    """Batch tests and what evaluators say of their executions."""

    def add(self, batch: BatchTest) -> None:
        """Insert a batch when the unit of work commits."""

    async def mark_started(self, batch_ids: Collection[UUID]) -> None:
        """Move pending batches to running, with audit entries and outbox events."""

    async def lock(self, batch_id: UUID) -> BatchTest:
        """A batch test for a change. Raises NotFound."""

    async def failures(self, batch_id: UUID) -> int:
        """How many of its executions stand failed."""

    async def conclude(self, batch_ids: Collection[UUID]) -> "Conclusion":
        """Move the batches of which nothing is left to wait for, with audit entries and events.

        One that is to be paused is, once none of it runs; the others end when all their executions
        have ended and been scored. Answers what else is to be done.
        """

    async def unfinished(self, idle_seconds: float) -> list[UUID]:
        """Running batches that wait for scores or completion although nobody works on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a look at batch tests has found."""

    moved: Sequence[UUID] = ()
    """They have ended, or are paused."""
    failing: Sequence[UUID] = ()
    """More of their executions failed than may, and nobody has given them up yet."""
    left_behind: Sequence[UUID] = ()
    """They go on, but executions were still paused for them."""


class ScoreRepository(Protocol):
    """What evaluators say of the executions of batch tests."""

    async def score_again(self, batch_id: UUID, mode: ScoringMode) -> None:
        """Let ended executions be claimed again; the claims on them are void.

        What was said before is dropped if evaluators are replaced; for a retry only errors are,
        and only the executions that have some are claimed again.
        """

    async def claim(self, batch_id: UUID, limit: int, claim_seconds: float) -> list[ScoringJob]:
        """Take ended executions of the batch that some evaluator has not seen yet, for a while.

        Where there are pairwise evaluators, only those whose baseline has ended too.
        """

    async def extend_claims(
        self, claims: Sequence[tuple[UUID, datetime]], claim_seconds: float
    ) -> datetime:
        """Keep executions that were claimed until a time for longer; answers their new end.

        Claims that are void by now stay so.
        """

    async def record(self, scored: Sequence[tuple[ScoredExecution, datetime]]) -> None:
        """Keep evaluators' results, once per execution and key, and mark the executions scored.

        Each comes with the end of its claim. Results for a claim that is void, and those of an
        outcome that no longer stands, are dropped.
        """

    async def summary_job(self, batch_id: UUID) -> SummaryJob | None:
        """The columns of a running batch that only its summary evaluators have to see yet."""

    async def record_summaries(
        self, batch_id: UUID, read_at: datetime, summaries: Sequence[SummaryScore]
    ) -> None:
        """Keep what summary evaluators said of the columns as they were read then."""


class OutboxRepository(Protocol):
    """Events on their way out."""

    async def claim(self, limit: int, claim_seconds: float) -> list[OutboxEvent]:
        """Take the oldest open events, in order per aggregate, hidden from others for a while."""

    async def mark_sent(self, ids: Collection[int]) -> None:
        """These events have been delivered."""

    async def mark_failed(
        self, ids: Collection[int], error: str, *, retry_in_seconds: float | None
    ) -> None:
        """Delivery failed: try again later, or (None) move to the dead letters."""


class Journal(Protocol):
    """The record of who asked for what and what changed: commands, audit trail, outbox."""

    def record(self, *changes: Change, command: Command | None = None) -> None:
        """Write the command, an audit entry and an outbox event per change, at commit."""


class UnitOfWork(Protocol):
    """One transaction. Leaving without `commit` rolls everything back."""

    @property
    def workflows(self) -> WorkflowRepository:
        """Workflows and variants."""

    @property
    def executions(self) -> ExecutionRepository:
        """Executions."""

    @property
    def threads(self) -> ThreadRepository:
        """Timelines."""

    @property
    def runs(self) -> RunRepository:
        """Runs on their way."""

    @property
    def runners(self) -> RunnerRepository:
        """Leases."""

    @property
    def batch_tests(self) -> BatchTestRepository:
        """Batch tests."""

    @property
    def scores(self) -> ScoreRepository:
        """What evaluators say."""

    @property
    def batch_cases(self) -> BatchCaseRepository:
        """The cases that batch tests run."""

    @property
    def batch_executions(self) -> BatchExecutionRepository:
        """The executions of a batch test, together."""

    @property
    def datasets(self) -> DatasetRepository:
        """Datasets and their versions."""

    @property
    def test_cases(self) -> TestCaseRepository:
        """The test cases of datasets."""

    @property
    def outbox(self) -> OutboxRepository:
        """Events on their way out."""

    @property
    def journal(self) -> Journal:
        """The record of this change."""

    async def __aenter__(self) -> Self:
        """Begin."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Roll back what was not committed."""

    async def commit_each_statement(self) -> None:
        """From here on every statement is a transaction of its own, and needs no `commit`.

        For changes of one statement on the hot path: it spares them two round trips.
        """

    async def commit(self) -> None:
        """Write what was added and make it last. Raises AlreadyExists, TransientError."""


UnitOfWorkFactory = Callable[[], UnitOfWork]


class Nudges(Protocol):
    """Hints that spare somebody a wait; losing one costs time, never work."""

    def new_events(self) -> None:
        """There are new rows in the outbox."""

    def new_runs(self, pool: str) -> None:
        """There are new pending runs in this pool."""

    def new_requests(self, pool: str) -> None:
        """Something is asked of runs that runners of this pool execute."""


class GraphInspector(Protocol):
    """Looks at graphs without loading the user's code into this process."""

    async def inspect_graph(
        self, project: str, graph: str, variants: Sequence[tuple[str, str]] = ()
    ) -> JsonObject:
        """The graph's topology and schemas.

        Raises InvalidInput when it does not load, or when one of the variants, each a
        `(node, reference)`, cannot take its node's place.
        """


class GraphEngine(Protocol):
    """Drives one run through its graph."""

    async def drive(self, run: ClaimedRun, signals: RunSignals) -> RunOutcome:
        """Execute until the graph ends, pauses or fails. Cancelling it cancels the graph.

        What `signals` brings is granted at the next superstep boundary.

        Raises TransientError when the database was away; the run may go on from its checkpoints.
        """

    def give_up(self, run: ClaimedRun) -> None:
        """Keep nothing of what a run still writes that is being driven and does not end."""


class LiveSink(Protocol):
    """Takes what one run streams; it never waits and never fails, it rather drops events."""

    @property
    def modes(self) -> Sequence[StreamMode]:
        """What somebody wants to see."""

    @property
    def max_value_bytes(self) -> int:
        """Values whose JSON is larger are left out of their events."""

    def put(self, event_type: str, data: bytes) -> None:
        """Show an event soon; `data` is a JSON object."""


class LiveEvents(Protocol):
    """Shows people what runs do while they do it; losing an event costs them a sight, no work."""

    def of_run(self, run: ClaimedRun) -> AbstractAsyncContextManager[LiveSink | None]:
        """A run's sink, or None when nobody wants to see anything.

        Leaving it waits for a moment until everything was sent, so that the run's end comes last.
        """


class LiveEventSource(Protocol):
    """Where event streams find what runs have shown."""

    async def after(
        self, execution_id: UUID, position: EventPosition, *, limit: int
    ) -> list[tuple[int, LiveEventView]]:
        """The live events that follow one of a run, each with its number, and of no other run."""


class RunMonitor(Protocol):
    """Shows runs to people while they happen."""

    def received(self, run_id: str, *, name: str, args: str, kwargs: str) -> None:
        """A runner holds this run."""

    def started(self, run_id: str) -> None:
        """The run's graph is being executed."""

    def succeeded(self, run_id: str, *, result: str, runtime: float) -> None:
        """The run ended well, or paused; runtime in seconds."""

    def failed(self, run_id: str, *, exception: str, traceback: str) -> None:
        """The run failed."""

    def revoked(self, run_id: str) -> None:
        """The run was stopped."""
