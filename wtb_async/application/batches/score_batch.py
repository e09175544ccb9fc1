"""Scores the ended executions of a batch test, and completes it when nothing is left."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from wtb_async.application.batches.conclude_batches import conclude_batches
from wtb_async.application.ports import (
    Nudges,
    ScoredExecution,
    ScoringJob,
    UnitOfWorkFactory,
)
from wtb_async.domain.errors import TransientError


class EvaluationEngine(Protocol):
    """Calls evaluators; user code, so no transaction is open meanwhile."""

    async def score(self, job: ScoringJob) -> ScoredExecution:
        """All results of one execution; an evaluator's own error becomes its result."""


async def score_batch(
    batch_id: UUID,
    *,
    uow_factory: UnitOfWorkFactory,
    engine: EvaluationEngine,
    nudges: Nudges,
    chunk_size: int = 100,
    claim_seconds: float = 60.0,
) -> int:
    """Score what has ended so far; answers how many executions were scored.

    Many of these may run for one batch at once: each takes executions of its own, and whoever
    finds nothing left to wait for completes the batch.

    Args:
        batch_id: the batch test.
        uow_factory: opens a transaction; none is open while evaluators run.
        engine: calls the evaluators.
        nudges: told when the batch is complete.
        chunk_size: executions taken at a time.
        claim_seconds: how long they stay hidden from others that score.
    """
    # Results are held while the database is away, but not beyond the claim.
    record = retry(
        retry=retry_if_exception_type(TransientError),
        wait=wait_fixed(0.5),
        stop=stop_after_delay(claim_seconds / 2),
        reraise=True,
    )(_record)
    count = 0
    while jobs := await _claim(batch_id, uow_factory, chunk_size, claim_seconds):
        scored = [await engine.score(job) for job in jobs]
        await record(scored, uow_factory)
        count += len(scored)
    async with uow_factory() as uow:
        has_news = await conclude_batches([batch_id], uow)
        await uow.commit()
    if has_news:
        nudges.new_events()
    return count


async def _record(scored: Sequence[ScoredExecution], uow_factory: UnitOfWorkFactory) -> None:
    async with uow_factory() as uow:
        await uow.batch_tests.record_scores(scored)
        await uow.commit()


async def _claim(
    batch_id: UUID, uow_factory: UnitOfWorkFactory, limit: int, seconds: float
) -> list[ScoringJob]:
    async with uow_factory() as uow:
        jobs = await uow.batch_tests.claim_unscored(batch_id, limit, seconds)
        await uow.commit()
    return jobs
