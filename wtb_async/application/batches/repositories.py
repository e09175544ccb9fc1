"""What batch tests, their cases and their executions need from the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from wtb_async.domain.batch_test import BatchTest, TestCase
from wtb_async.domain.command import Origin
from wtb_async.domain.dataset import CaseContent
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.run import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a look at batch tests has found."""

    moved: Sequence[UUID] = ()
    """They have ended, or are paused."""
    failing: Sequence[UUID] = ()
    """More of their executions failed than may, and nobody has given them up yet."""
    left_behind: Sequence[UUID] = ()
    """They go on, but executions were still paused for them."""


class BatchTestRepository(Protocol):
    """Batch tests and what evaluators say of their executions."""

    def add(self, batch: BatchTest) -> None:
        """Insert a batch when the unit of work commits."""

    async def mark_started(self, batch_ids: Collection[UUID], runner_id: UUID) -> None:
        """Move pending batches to running, with audit entries and outbox events."""

    async def lock(self, batch_id: UUID) -> BatchTest:
        """A batch test for a change. Raises NotFound."""

    async def failures(self, batch_id: UUID) -> int:
        """How many of its executions stand failed."""

    async def conclude(self, batch_ids: Collection[UUID]) -> Conclusion:
        """Move the batches of which nothing is left to wait for, with audit entries and events.

        One that is to be paused is, once none of it runs; the others end when all their executions
        have ended and been scored. Answers what else is to be done.
        """

    async def unfinished(self, idle_seconds: float) -> list[UUID]:
        """Batches that wait for scores or for their end although nobody works on them.

        One that is paused is among them while some of what has ended is not scored.
        """


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """A case among those that were given which a batch test has not, or has otherwise."""

    place: int
    """Among the given ones, from 0."""
    key: str
    is_changed: bool
    """The batch test has a case of this id, but it reads differently."""


class BatchCaseRepository(Protocol):
    """The cases that batch tests run, their own and those of datasets."""

    def add(self, cases: Sequence[TestCase]) -> None:
        """Insert cases of a batch test's own when the unit of work commits."""

    async def of_batch(self, batch_id: UUID) -> list[UUID]:
        """The cases that the batch test has executions of, in order."""

    async def differences(self, batch_id: UUID, case_ids: Sequence[UUID]) -> list[CaseDifference]:
        """How these cases of a dataset differ from those that the batch test has."""

    async def differences_of_contents(
        self, batch_id: UUID, contents: Sequence[CaseContent]
    ) -> list[CaseDifference]:
        """How cases that nobody has kept yet differ from those that the batch test has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingExecution:
    """An execution of a batch that is to go on, with what its last run left."""

    execution_id: UUID
    status: ExecutionStatus
    run_id: UUID
    run_status: RunStatus
    thread_id: UUID
    moved: bool
    """It was rolled back since that run: it stands on another thread."""
    begun: bool
    """A runner may have written to its thread."""

    @property
    def needs_fork(self) -> bool:
        """A runner that was lost or given up may still be writing to its thread."""
        stopped = self.status is ExecutionStatus.CANCELLED and self.begun
        return stopped or (self.run_status is RunStatus.LOST and not self.moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """The run that goes on with an execution, on the same thread or on a fork of it."""

    execution_id: UUID
    run_id: UUID
    thread_id: UUID


class BatchExecutionRepository(Protocol):
    """The executions of one batch test, changed together, with audit entries and outbox events.

    The caller has locked the batch test.
    """

    async def pause(self, batch_id: UUID, origin: Origin) -> None:
        """Hold back the runs that no runner has, and have the others paused."""

    async def let_go(self, batch_id: UUID) -> None:
        """Give back the runs that were held, and take back what was asked of the others."""

    async def stop(self, batch_id: UUID, origin: Origin) -> None:
        """Cancel the executions that no runner has, and have the others stopped."""

    async def lock_resting(
        self, batch_id: UUID, statuses: Collection[ExecutionStatus]
    ) -> list[RestingExecution]:
        """The executions in these statuses, in the order in which their last runs were accepted.

        Of those that are paused only the ones that the batch paused.
        """

    async def continue_(
        self,
        batch_id: UUID,
        continuations: Sequence[Continuation],
        origin: Origin,
        *,
        at: datetime,
    ) -> None:
        """Give executions their next runs; what was said of their earlier outcomes is forgotten."""

    async def release(self, batch_ids: Collection[UUID]) -> set[str]:
        """Let as many waiting runs of each batch be claimed as there are places for them.

        Locks the batches; answers the pools of the runs that were released.
        """

    async def with_waiting_runs(self) -> list[UUID]:
        """The batches of which runs wait for a place."""
