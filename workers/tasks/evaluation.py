"""Queue `evaluation`: ended executions get their scores."""

from uuid import UUID

from workers.celery_app import app
from workers.process import current_process
from wtb_async.application.batches.score_batch import score_batch


@app.task(name="wtb.evaluation.score_batch")
def score(batch_id: str) -> None:
    """Score what has ended in a batch so far."""
    process = current_process()
    platform = process.platform
    process.run(
        score_batch(
            UUID(batch_id),
            uow_factory=platform.database.unit_of_work,
            engine=platform.evaluation,
            nudges=platform.nudges,
            chunk_size=platform.settings.evaluation.chunk_size,
            claim_seconds=platform.settings.evaluation.claim_seconds,
        )
    )
