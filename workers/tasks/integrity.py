"""Queue `maintenance`: whether everything is as it was promised."""

from uuid import UUID

from workers.celery_app import app, settings
from workers.delivery import send_check
from workers.process import current_process
from wtb_async.application.maintenance.begin_check import begin_due_check
from wtb_async.application.maintenance.perform_check import perform_check, unfinished_reports
from wtb_async.application.maintenance.verify_events import verify_events
from wtb_async.bootstrap.integrity import integrity_checks

_CALLER = "beat"


@app.task(name="wtb.maintenance.check_integrity")
def check_integrity(report_id: str) -> None:
    """Go on with a report for a while; the rest is left to another task."""
    process = current_process()
    platform = process.platform
    is_done = process.run(
        perform_check(
            UUID(report_id),
            uow_factory=platform.database.unit_of_work,
            checks=integrity_checks(platform),
            work_seconds=settings.integrity.work_seconds,
        )
    )
    if not is_done:
        send_check(report_id)


@app.task(name="wtb.maintenance.begin_due_check", send_events=False)
def begin_due() -> None:
    """Have a report made when the newest is old; the beat may have been restarted since."""
    process = current_process()
    platform = process.platform
    process.run(
        begin_due_check(
            settings.integrity.check_every_seconds,
            caller=_CALLER,
            uow_factory=platform.database.unit_of_work,
            nudges=platform.nudges,
        )
    )


@app.task(name="wtb.maintenance.verify_events", send_events=False)
def verify() -> None:
    """Verify what events promised, and go on with reports whose message was lost."""
    process = current_process()
    factory = process.platform.database.unit_of_work
    chunk_size = settings.integrity.verify_chunk_size
    process.run(verify_events(uow_factory=factory, chunk_size=chunk_size))
    for report_id in process.run(unfinished_reports(factory)):
        send_check(report_id)
