"""Makes integrity reports, a slice at a time, so that no worker is occupied for long."""

from collections.abc import Sequence
from time import monotonic
from uuid import UUID

import structlog

from wtb_async.application.clock import utc_now
from wtb_async.application.maintenance.checks import Checks, Inspection, Looked
from wtb_async.application.maintenance.recording import ACTOR, record_report
from wtb_async.application.ports import UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.errors import TransientError
from wtb_async.domain.integrity import IntegrityReport, ReportStatus

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 300.0
"""Whoever looks for longer than this has died, and others may go on with his report."""


async def perform_check(
    report_id: UUID, *, uow_factory: UnitOfWorkFactory, checks: Checks, work_seconds: float
) -> bool:
    """Go on with a report for a while; tells whether the caller has nothing left to do.

    Raises TransientError when the database or the store was away; the report can go on.
    """
    worker = _ReportWorker(uow_factory, checks)
    end = monotonic() + work_seconds
    while (report := await worker.claim(report_id)) is not None:
        await worker.go_on(report)
        if monotonic() >= end:
            return False
    return True


async def unfinished_reports(uow_factory: UnitOfWorkFactory) -> list[UUID]:
    """Reports that nobody works on."""
    async with uow_factory() as uow:
        return await uow.integrity_reports.unfinished()


class _ReportWorker:
    """Makes one part of a check after another.

    No transaction is open while a part is looked at. What it has found is committed with its
    repairs, so whoever goes on begins behind it.
    """

    def __init__(self, uow_factory: UnitOfWorkFactory, checks: Checks) -> None:
        self._uow = uow_factory
        self._checks = checks

    async def claim(self, report_id: UUID) -> IntegrityReport | None:
        """The report, if there is something to do for it that nobody does."""
        async with self._uow() as uow:
            report = await uow.integrity_reports.claim(report_id, _LOOK_SECONDS)
            if report is not None and report.status is ReportStatus.PENDING:
                event = report.start(len(self._inspections(report)), at=utc_now())
                record_report(uow, report, event, ReportStatus.PENDING, actor=ACTOR)
            await uow.commit()
        return report

    async def go_on(self, report: IntegrityReport) -> None:
        """Make the next part, or end the report if that cannot be."""
        try:
            inspection = self._inspections(report)[report.checks_done]
            looked = await inspection.look(report.cursor)
            restored = await self._restore(report, inspection, looked)
            await self._keep(report, inspection, looked, restored)
        except TransientError:
            raise
        except Exception as error:
            # Whatever it is, it would come again: the report says so, and the log has the place.
            log.exception("integrity_check_failed", report_id=str(report.id))
            await self._fail(report, error)

    def _inspections(self, report: IntegrityReport) -> Sequence[Inspection]:
        return self._checks.wanted(deep=report.deep)

    async def _restore(
        self, report: IntegrityReport, inspection: Inspection, looked: Looked
    ) -> int:
        """Mend what is outside of the database."""
        restore = self._checks.restores.get(inspection.check.name)
        if restore is None or not looked.findings or not report.wants_repair_of(inspection.check):
            return 0
        return await restore(looked.findings)

    async def _keep(
        self, begun: IntegrityReport, inspection: Inspection, looked: Looked, restored: int
    ) -> None:
        """Commit what was found with its repairs, unless somebody else has gone on meanwhile."""
        async with self._uow() as uow:
            report = await uow.integrity_reports.lock(begun.id)
            if not report.stands_at(begun.checks_done, begun.cursor):
                return
            report.take(inspection.check, looked.findings, looked.cursor)
            await self._repair(report, inspection, looked, restored, uow)
            report.working_until = None
            if report.is_complete:
                event = report.complete(at=utc_now())
                record_report(uow, report, event, ReportStatus.RUNNING, actor=ACTOR)
            await uow.commit()

    async def _repair(
        self,
        report: IntegrityReport,
        inspection: Inspection,
        looked: Looked,
        restored: int,
        uow: UnitOfWork,
    ) -> None:
        repaired = restored
        repair = self._checks.repairs.get(inspection.check.name)
        if repair and looked.findings and report.wants_repair_of(inspection.check):
            repaired += await repair(looked.findings, uow)
        if repaired:
            event = report.count_repaired(repaired)
            record_report(uow, report, event, report.status, actor=report.created_by)

    async def _fail(self, begun: IntegrityReport, error: Exception) -> None:
        async with self._uow() as uow:
            report = await uow.integrity_reports.lock(begun.id)
            if not report.stands_at(begun.checks_done, begun.cursor):
                return
            failure = {"type": type(error).__name__, "message": str(error)}
            event = report.fail(failure, at=utc_now())
            record_report(uow, report, event, ReportStatus.RUNNING, actor=ACTOR)
            await uow.commit()
