"""Queue `maintenance`: what has to be looked after now and then."""

from workers.celery_app import app, settings
from workers.delivery import send_scoring
from workers.process import current_process
from wtb_async.application.batches.release_runs import release_all_runs
from wtb_async.application.files.collect_garbage import GarbageCollection
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.infrastructure.postgres.partitions import maintain_partitions

IDLE_SECONDS = 10.0
"""A batch whose ended executions nobody scored for this long has lost its message."""
COLLECTING_SECONDS = 10.0
"""After this time a collection leaves its process to others, and goes on in another message."""


@app.task(name="wtb.maintenance.reap_lost_runners", send_events=False)
def reap() -> None:
    """Take over the runs of silent runners."""
    process = current_process()
    factory = process.platform.database.unit_of_work
    lease = settings.runner.lease_seconds
    if process.run(reap_lost_runners(factory, lease_seconds=lease)):
        app.send_task("wtb.dispatch.dispatch_runs", args=[DEFAULT_POOL], expires=60)


@app.task(name="wtb.maintenance.finish_batches", send_events=False)
def finish_batches() -> None:
    """Ask again for scores of batches that nobody works on, and let go of runs left waiting."""
    process = current_process()
    platform = process.platform
    factory = platform.database.unit_of_work
    process.run(release_all_runs(uow_factory=factory, nudges=platform.nudges))

    async def unfinished() -> list[str]:
        async with factory() as uow:
            return [str(item) for item in await uow.batch_tests.unfinished(IDLE_SECONDS)]

    for batch_id in process.run(unfinished()):
        send_scoring(batch_id)


@app.task(name="wtb.maintenance.maintain_partitions", send_events=False)
def partitions() -> None:
    """Make the partitions of the coming months, and drop what is too old."""
    process = current_process()
    platform = process.platform
    process.run(maintain_partitions(platform.database.engine, settings.retention_months))


@app.task(name="wtb.maintenance.collect_garbage", send_events=False)
def collect_garbage(part: int = 0) -> None:
    """Remove files that no checkpoint leads to any more, from a part of the store on."""
    process = current_process()
    platform = process.platform
    collection = GarbageCollection(
        platform.database.unit_of_work,
        platform.files.blobs,
        unused_seconds=settings.files.garbage_grace_seconds,
    )
    rest = process.run(collection.collect(part, work_seconds=COLLECTING_SECONDS))
    if rest is not None:
        app.send_task("wtb.maintenance.collect_garbage", args=[rest], expires=3600)
