"""Queue `evaluation`: ended executions get their scores."""

from time import monotonic
from uuid import UUID

from workers.celery_app import app
from workers.delivery import send_scoring
from workers.process import current_process
from wtb_async.application.batches.score_batch import score_batch


@app.task(name="wtb.evaluation.score_batch")
def score(batch_id: str) -> None:
    """Score what has ended in a batch so far."""
    process = current_process()
    platform = process.platform
    settings = platform.settings.evaluation
    began = monotonic()
    process.run(
        score_batch(
            UUID(batch_id),
            uow_factory=platform.database.unit_of_work,
            engine=platform.evaluation,
            nudges=platform.nudges,
            chunk_size=settings.chunk_size,
            claim_seconds=settings.claim_seconds,
            work_seconds=settings.work_seconds,
        )
    )
    if monotonic() - began >= settings.work_seconds:
        send_scoring(batch_id)  # There may be more to do, after whatever else waits.
