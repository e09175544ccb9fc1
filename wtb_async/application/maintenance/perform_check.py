"""Makes integrity reports, a slice at a time, so that no worker is occupied for long."""

from collections.abc import Sequence
from time import monotonic
from uuid import UUID

import structlog

from wtb_async.application.clock import utc_now
from wtb_async.application.maintenance.checks import Checks, Inspection, Looked
from wtb_async.application.maintenance.recording import record_report
from wtb_async.application.ports import UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.errors import TransientError
from wtb_async.domain.integrity import IntegrityReport, ReportStatus

log = structlog.get_logger(__name__)

_ACTOR = "integrity"
_LOOK_SECONDS = 300.0
"""Whoever looks for longer than this has died, and others may go on with his report."""


async def perform_check(
    report_id: UUID, *, uow_factory: UnitOfWorkFactory, checks: Checks, work_seconds: float
) -> bool:
    """Go on with a report for a while; tells whether the caller has nothing left to do.

    No transaction is open while a part of a check is looked at. What it has found is committed
    with its repairs, so whoever goes on begins behind it.

    Raises TransientError when the database or the store was away; the report can go on.
    """
    end = monotonic() + work_seconds
    while (report := await _claim(report_id, checks, uow_factory)) is not None:
        inspection = _inspections(report, checks)[report.checks_done]
        try:
            looked = await inspection.look(report.cursor)
            restored = await _restore(report, inspection, looked, checks)
        except TransientError:
            raise
        except Exception as error:
            # Whatever it is, it would come again: the report says so, and the log has the place.
            log.exception("integrity_check_failed", check=inspection.check.name)
            await _fail(report, error, uow_factory)
            return True
        await _keep(report, inspection, looked, restored, checks, uow_factory)
        if monotonic() >= end:
            return False
    return True


async def unfinished_reports(uow_factory: UnitOfWorkFactory) -> list[UUID]:
    """Reports that nobody works on."""
    async with uow_factory() as uow:
        return await uow.integrity_reports.unfinished()


async def _claim(
    report_id: UUID, checks: Checks, uow_factory: UnitOfWorkFactory
) -> IntegrityReport | None:
    async with uow_factory() as uow:
        report = await uow.integrity_reports.claim(report_id, _LOOK_SECONDS)
        if report is not None and report.status is ReportStatus.PENDING:
            event = report.start(len(_inspections(report, checks)), at=utc_now())
            record_report(uow, report, event, ReportStatus.PENDING, actor=_ACTOR)
        await uow.commit()
    return report


def _inspections(report: IntegrityReport, checks: Checks) -> Sequence[Inspection]:
    return checks.wanted(deep=report.deep)


async def _restore(
    report: IntegrityReport, inspection: Inspection, looked: Looked, checks: Checks
) -> int:
    """Mend what is outside of the database."""
    restore = checks.restores.get(inspection.check.name)
    if restore is None or not looked.findings or not report.wants_repair_of(inspection.check):
        return 0
    return await restore(looked.findings)


async def _keep(
    begun: IntegrityReport,
    inspection: Inspection,
    looked: Looked,
    restored: int,
    checks: Checks,
    uow_factory: UnitOfWorkFactory,
) -> None:
    """Commit what was found with its repairs, unless somebody else has gone on meanwhile."""
    async with uow_factory() as uow:
        report = await uow.integrity_reports.lock(begun.id)
        if (report.checks_done, report.cursor) != (begun.checks_done, begun.cursor):
            return
        report.take(inspection.check, looked.findings, looked.cursor)
        await _repair(report, inspection, looked, restored, checks, uow)
        report.working_until = None
        if report.checks_done == report.checks_total:
            event = report.complete(at=utc_now())
            record_report(uow, report, event, ReportStatus.RUNNING, actor=_ACTOR)
        await uow.commit()


async def _repair(
    report: IntegrityReport,
    inspection: Inspection,
    looked: Looked,
    restored: int,
    checks: Checks,
    uow: UnitOfWork,
) -> None:
    repair = checks.repairs.get(inspection.check.name)
    if repair and looked.findings and report.wants_repair_of(inspection.check):
        restored += await repair(looked.findings, uow)
    if restored:
        event = report.count_repaired(restored)
        record_report(uow, report, event, report.status, actor=report.created_by)


async def _fail(begun: IntegrityReport, error: Exception, uow_factory: UnitOfWorkFactory) -> None:
    async with uow_factory() as uow:
        report = await uow.integrity_reports.lock(begun.id)
        event = report.fail({"type": type(error).__name__, "message": str(error)}, at=utc_now())
        record_report(uow, report, event, ReportStatus.RUNNING, actor=_ACTOR)
        await uow.commit()
