"""What integrity checks need from the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from wtb_async.domain.integrity import IntegrityReport


class IntegrityReportRepository(Protocol):
    """Reports on their way."""

    def add(self, report: IntegrityReport) -> None:
        """Keep a new report."""

    async def lock(self, report_id: UUID) -> IntegrityReport:
        """A report, locked for a change. Raises NotFound."""

    async def claim(self, report_id: UUID, seconds: float) -> IntegrityReport | None:
        """Work on a report for some time; None when it has ended or somebody else does."""

    async def is_due(self, every_seconds: float) -> bool:
        """Whether no report is younger than this; two callers do not both hear so."""

    async def unfinished(self) -> list[UUID]:
        """Reports that nobody works on."""


class RepairRepository(Protocol):
    """Mends rows; what has changed meanwhile is left alone."""

    async def delete_orphan_threads(self, ids: Sequence[UUID]) -> int:
        """Delete threads that nothing leads to, with their checkpoints; answers how many."""

    async def release_events(self, ids: Sequence[int]) -> int:
        """Let the relay have open events at once; answers how many."""


@dataclass(frozen=True, slots=True)
class Verified:
    """How many events were looked at, and how many promises of theirs were not kept."""

    events: int
    failed: int


class VerificationRepository(Protocol):
    """Compares what events promised with what is there."""

    async def verify_next(self, limit: int, settle_seconds: float) -> Verified:
        """Verify the events that follow, up to those that are younger than a few seconds."""

    async def verify_again(self, event_ids: Collection[int]) -> int:
        """Forget failures of events whose promises are kept by now; answers how many."""
