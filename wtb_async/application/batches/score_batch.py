"""Scores the ended executions of a batch test, and completes it when nothing is left."""

import asyncio
import math
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol
from uuid import UUID

from wtb_async.application.batches.conclude_batches import conclude_batches
from wtb_async.application.batches.scoring import (
    ScoredExecution,
    ScoringJob,
    SummaryJob,
    SummaryScore,
)
from wtb_async.application.batches.scoring_claims import ClaimedJob, ScoringClaims
from wtb_async.application.ports import Nudges, UnitOfWorkFactory

RECORD_SECONDS = 1.0
"""What has been scored is kept at least this often while the rest is under way."""

FEW = 32
"""Executions under way at first, before it is known how long they take."""


class EvaluationEngine(Protocol):
    """Calls evaluators; user code, so no transaction is open meanwhile."""

    async def score(self, job: ScoringJob) -> ScoredExecution:
        """All results of one execution; an evaluator's own error becomes its result."""

    async def summarize(self, job: SummaryJob) -> Sequence[SummaryScore]:
        """What the summary evaluators say of each combination."""


async def score_batch(
    batch_id: UUID,
    *,
    uow_factory: UnitOfWorkFactory,
    engine: EvaluationEngine,
    nudges: Nudges,
    chunk_size: int = 100,
    claim_seconds: float = 60.0,
    work_seconds: float = math.inf,
) -> int:
    """Score what has ended so far; answers how many executions were scored.

    Many of these may run for one batch at once: each takes executions of its own, and whoever
    finds nothing left to wait for completes the batch.

    Args:
        batch_id: the batch test.
        uow_factory: opens a transaction; none is open while evaluators run.
        engine: calls the evaluators, for many executions at the same time.
        nudges: told of scores, and when the batch is complete.
        chunk_size: executions under way at the same time, at most.
        claim_seconds: how long they stay hidden from others should this process die.
        work_seconds: after this nothing more is begun, and the rest is left to a later call.
    """
    claims = ScoringClaims(batch_id, uow_factory, claim_seconds)
    count = await _score_ended(
        claims,
        engine,
        most=chunk_size,
        end=monotonic() + work_seconds,
        on_recorded=lambda: nudges.new_scores(batch_id),
    )
    await _summarize(batch_id, uow_factory, engine)
    async with uow_factory() as uow:
        has_news = await conclude_batches([batch_id], uow)
        await uow.commit()
    if has_news:
        nudges.new_events()
    return count


async def _score_ended(
    claims: ScoringClaims,
    engine: EvaluationEngine,
    *,
    most: int,
    end: float,
    on_recorded: Callable[[], None],
) -> int:
    """Score many at the same time, and keep what is done in bulk while the rest takes longer.

    Slow evaluators get few executions at a time, so that little is left to wait for at the end;
    quick ones get twice as many each time.
    """
    under_way: dict[asyncio.Task[ScoredExecution], ClaimedJob] = {}
    room = min(FEW, most)
    count = 0
    try:
        while True:
            if monotonic() < end and len(under_way) <= room // 2:
                for claimed in await claims.take(room - len(under_way)):
                    under_way[asyncio.create_task(engine.score(claimed.job))] = claimed
                    count += 1
            if not under_way:
                return count
            done, slow = await asyncio.wait(under_way, timeout=RECORD_SECONDS)
            await claims.record([(task.result(), under_way[task]) for task in done])
            on_recorded()
            under_way = {task: under_way[task] for task in slow}
            await claims.keep(under_way.values())
            room = room if slow else min(2 * room, most)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _summarize(
    batch_id: UUID, uow_factory: UnitOfWorkFactory, engine: EvaluationEngine
) -> None:
    async with uow_factory() as uow:
        job = await uow.scores.summary_job(batch_id)
    if job is None:
        return
    summaries = await engine.summarize(job)
    async with uow_factory() as uow:
        await uow.scores.record_summaries(batch_id, job.read_at, summaries)
        await uow.commit()
