"""What scoring the executions of batch tests needs from the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from wtb_async.application.batches.scoring import (
    ScoredExecution,
    ScoringJob,
    SummaryJob,
    SummaryScore,
)
from wtb_async.domain.batch_test import ScoringMode


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
