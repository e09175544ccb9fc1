"""Reports are made in slices, by one worker at a time, and go on where another one has died."""

from dataclasses import replace
from uuid import UUID

import pytest
from arranging import accept, change, history, register, select
from checking import begin, check, damage, found_in, report_on, without_grace

from wtb_async.application.maintenance.begin_check import begin_due_check
from wtb_async.application.maintenance.checks import Checks, Looked
from wtb_async.application.maintenance.perform_check import perform_check, unfinished_reports
from wtb_async.bootstrap.integrity import integrity_checks
from wtb_async.bootstrap.platform import ServerPlatform
from wtb_async.domain.errors import TransientError
from wtb_async.domain.integrity import Check, ReportStatus, Severity


class Failing:
    """A check that cannot be made."""

    check = Check(name="failing", severity=Severity.ERROR, title="nothing")

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def look(self, cursor: list[str] | None) -> Looked:
        del cursor
        raise self._error


async def perform(
    platform: ServerPlatform, report_id: UUID, checks: Checks, work_seconds: float = 0.0
) -> bool:
    return await perform_check(
        report_id,
        uow_factory=platform.database.unit_of_work,
        checks=checks,
        work_seconds=work_seconds,
    )


async def test_slices_of_one_row_come_to_the_same_as_one_look(platform: ServerPlatform) -> None:
    workflow = await register(platform.database.unit_of_work)
    await accept(platform.database.unit_of_work, workflow, 5)
    await damage(platform.database, "DELETE FROM wtb_runs WHERE position % 2 = 0")
    at_once = await check(platform)
    integrity = platform.settings.integrity.model_copy(update={"chunk_size": 1})
    settings = platform.settings.model_copy(update={"integrity": integrity})
    checks = integrity_checks(without_grace(replace(platform, settings=settings)))
    report_id = await begin(platform)
    slices = 1
    while not await perform(platform, report_id, checks):
        slices += 1
    in_slices = await report_on(platform, report_id)
    assert slices > in_slices.checks_total
    assert found_in(in_slices)["execution_references"] != []
    for name in ("execution_references", "execution_events", "run_references", "orphan_threads"):
        assert found_in(in_slices).get(name) == found_in(at_once).get(name)


async def test_a_report_has_one_worker_and_whoever_died_is_followed(
    platform: ServerPlatform,
) -> None:
    factory = platform.database.unit_of_work
    report_id = await begin(platform)
    async with factory() as uow:
        assert await uow.integrity_reports.claim(report_id, 60.0) is not None
        await uow.commit()
    assert await unfinished_reports(factory) == []
    assert await perform(platform, report_id, integrity_checks(platform), 60.0), "not for him"
    assert (await report_on(platform, report_id)).status is ReportStatus.PENDING
    await change(platform.database, "UPDATE wtb_integrity_reports SET working_until = now()")
    assert await unfinished_reports(factory) == [report_id]
    assert await perform(platform, report_id, integrity_checks(platform), 60.0)
    assert (await report_on(platform, report_id)).status is ReportStatus.COMPLETED


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("broken"), ReportStatus.FAILED), (TransientError("away"), ReportStatus.RUNNING)],
)
async def test_an_error_that_would_come_again_ends_a_report_and_another_does_not(
    platform: ServerPlatform, error: Exception, status: ReportStatus
) -> None:
    checks = Checks(inspections=[Failing(error)], repairs={}, restores={})
    report_id = await begin(platform)
    if isinstance(error, TransientError):
        with pytest.raises(TransientError):
            await perform(platform, report_id, checks)
    else:
        assert await perform(platform, report_id, checks, 60.0)
    report = await report_on(platform, report_id)
    assert report.status is status
    assert (report.error is None) is (status is ReportStatus.RUNNING)


async def test_a_report_is_an_object_with_a_record_of_its_own(platform: ServerPlatform) -> None:
    report = await check(platform)
    assert await history(platform.database, report.id) == [
        (1, "IntegrityCheckRequested"),
        (2, "IntegrityCheckStarted"),
        (3, "IntegrityCheckCompleted"),
    ]
    [command] = await select(platform.database, "SELECT kind, issued_by FROM wtb_commands")
    assert command == {"kind": "check", "issued_by": "somebody"}


async def test_a_report_is_due_when_the_newest_is_old(platform: ServerPlatform) -> None:
    async def begins(every_seconds: float) -> bool:
        return await begin_due_check(
            every_seconds,
            caller="beat",
            uow_factory=platform.database.unit_of_work,
            nudges=platform.nudges,
        )

    assert await begins(3600.0)
    assert not await begins(3600.0)
    assert await begins(0.0)
