"""What the application needs from outside, as protocols; `infrastructure` keeps the promises."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from wtb_async.application.batches.repositories import (
    BatchCaseRepository,
    BatchExecutionRepository,
    BatchTestRepository,
)
from wtb_async.application.batches.score_repository import ScoreRepository
from wtb_async.application.datasets.repositories import DatasetRepository, TestCaseRepository
from wtb_async.application.executions.repositories import ExecutionRepository, ThreadRepository
from wtb_async.application.files.garbage_repository import GarbageRepository
from wtb_async.application.files.repositories import FileRepository
from wtb_async.application.files.workspace_repository import WorkspaceRepository
from wtb_async.application.maintenance.repositories import (
    IntegrityReportRepository,
    RepairRepository,
    VerificationRepository,
)
from wtb_async.application.outbox.repositories import OutboxRepository
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.repositories import RunnerRepository, RunRepository
from wtb_async.application.runs.signals import RunSignals
from wtb_async.application.views import LiveEventView
from wtb_async.application.workflows.repositories import WorkflowRepository
from wtb_async.domain.audit import OutboxAction
from wtb_async.domain.command import Command
from wtb_async.domain.event_position import EventPosition
from wtb_async.domain.events import Change
from wtb_async.domain.json import JsonObject
from wtb_async.domain.stream_mode import StreamMode


class Journal(Protocol):
    """The record of who asked for what and what changed: commands, audit trail, outbox."""

    def record(self, *changes: Change, command: Command | None = None) -> None:
        """Write the command, an audit entry and an outbox event per change, at commit."""

    def note(self, action: OutboxAction, command: Command) -> None:
        """Write the command and an audit entry of what it did, which is no event of its target."""


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
    def files(self) -> FileRepository:
        """File commits and the checkpoints they belong to."""

    @property
    def garbage(self) -> GarbageRepository:
        """File commits and blobs that nothing refers to."""

    @property
    def workspaces(self) -> WorkspaceRepository:
        """The directories in which executions keep files."""

    @property
    def outbox(self) -> OutboxRepository:
        """Events on their way out."""

    @property
    def integrity_reports(self) -> IntegrityReportRepository:
        """Reports on what does not hold."""

    @property
    def repairs(self) -> RepairRepository:
        """What mends findings."""

    @property
    def verifications(self) -> VerificationRepository:
        """What became of the promises of events."""

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


class Announcements(Protocol):
    """Tells the readers of streams that there is something new to read."""

    def news_of(self, aggregate_ids: Iterable[UUID]) -> None:
        """The histories of these objects have grown."""

    def progress_of(self, batch_ids: Iterable[UUID]) -> None:
        """Executions of these batch tests have moved on; their own histories are as they were."""


class Nudges(Protocol):
    """Hints that spare somebody a wait; losing one costs time, never work."""

    def new_events(self) -> None:
        """There are new rows in the outbox."""

    def new_runs(self, pool: str) -> None:
        """There are new pending runs in this pool."""

    def new_requests(self, pool: str) -> None:
        """Something is asked of runs that runners of this pool execute."""

    def new_scores(self, batch_id: UUID) -> None:
        """Executions of this batch test have been scored."""


class GraphInspector(Protocol):
    """Looks at graphs without loading the user's code into this process."""

    async def inspect_graph(
        self,
        project: str,
        graph: str,
        variants: Sequence[tuple[str, str]] = (),
        *,
        workflow: str | None = None,
    ) -> JsonObject:
        """The graph's topology and schemas.

        Raises InvalidInput when it does not load, when one of the variants, each a
        `(node, reference)`, cannot take its node's place, or when the project gives nodes of the
        `workflow` processes of their own that the graph does not have or that need the runner's.
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
