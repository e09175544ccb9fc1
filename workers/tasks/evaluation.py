"""Queue `evaluation`: ended executions get their scores."""

import asyncio
from time import monotonic
from uuid import UUID

from workers.celery_app import app
from workers.delivery import send_scoring
from workers.process import current_process
from wtb_async.application.batches.score_batch import score_batch
from wtb_async.bootstrap.platform import ServerPlatform
from wtb_async.infrastructure.redis.scoring_slots import ScoringSlots


@app.task(name="wtb.evaluation.score_batch")
def score(batch_id: str, has_waited: bool = False) -> None:
    """Score what has ended in a batch so far, for a while; the rest is left to another task."""
    process = current_process()
    process.run(_score(process.platform, UUID(batch_id), has_waited=has_waited))


async def _score(platform: ServerPlatform, batch_id: UUID, *, has_waited: bool) -> None:
    slots = ScoringSlots(platform.redis, platform.settings.evaluation.scorers)
    if has_waited:
        await slots.end_to_wait(batch_id)
    async with slots.one() as is_free:
        is_done = is_free and await _score_for_a_while(platform, batch_id)
    if is_free and not is_done:
        await asyncio.to_thread(send_scoring, batch_id)
    elif not is_free and await slots.begin_to_wait(batch_id):
        await asyncio.to_thread(send_scoring, batch_id, has_waited=True)


async def _score_for_a_while(platform: ServerPlatform, batch_id: UUID) -> bool:
    """Score; tells whether nothing was left, as far as the time shows."""
    settings = platform.settings.evaluation
    began = monotonic()
    await score_batch(
        batch_id,
        uow_factory=platform.database.unit_of_work,
        engine=platform.evaluation,
        nudges=platform.nudges,
        chunk_size=settings.chunk_size,
        claim_seconds=settings.claim_seconds,
        work_seconds=settings.work_seconds,
    )
    return monotonic() - began < settings.work_seconds
