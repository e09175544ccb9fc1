"""What runs and the runners that execute them need from the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from wtb_async.application.runs.claims import ClaimedRun, RunOutcome, Settlement
from wtb_async.application.runs.groups import Parting, RunGroup
from wtb_async.domain.execution import Limits
from wtb_async.domain.run import Run, Runner, Thread
from wtb_async.domain.run_request import RunRequest


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

    async def settle(
        self, runner_id: UUID, outcomes: Sequence[RunOutcome], *, actor: str | None = None
    ) -> Settlement:
        """End runs and their executions, with audit entries and outbox events.

        Only runs that this runner still holds are touched. A run that paused although it was asked
        to stop is cancelled. Unless another `actor` speaks for it, the runner does so itself.
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

    async def hand_over(self, takeovers: Sequence[Takeover], actor: str) -> None:
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

    async def stop(self, runner_id: UUID) -> bool:
        """End the lease in good order; False when it was lost already."""
