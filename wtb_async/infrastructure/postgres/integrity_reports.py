"""Integrity reports: claimed for a part of the work by one worker at a time."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.domain.errors import NotFound
from wtb_async.domain.integrity import IntegrityReport, ReportStatus
from wtb_async.infrastructure.postgres.integrity_tables import integrity_reports as reports

_CLAIM = text(
    """
    UPDATE wtb_integrity_reports
    SET working_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE id = :id AND status IN ('pending', 'running')
      AND (working_until IS NULL OR working_until < clock_timestamp())
    RETURNING id
    """
)

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(:key)")
_DUE_LOCK = 0x77746221
"""A number of our own: who begins a report that is due holds it until the commit."""


class PostgresIntegrityReportRepository:
    """Loads and keeps reports through the session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, report: IntegrityReport) -> None:
        """Keep a new report."""
        self._session.add(report)

    async def lock(self, report_id: UUID) -> IntegrityReport:
        """A report, locked for a change. Raises NotFound."""
        found = await self._session.get(IntegrityReport, report_id, with_for_update=True)
        if found is None:
            raise NotFound("integrity report", report_id)
        return found

    async def claim(self, report_id: UUID, seconds: float) -> IntegrityReport | None:
        """Work on a report for some time; None when it has ended or somebody else does."""
        claimed = await self._session.scalar(_CLAIM, {"id": report_id, "seconds": seconds})
        return None if claimed is None else await self.lock(report_id)

    async def is_due(self, every_seconds: float) -> bool:
        """Whether no report is younger than this; two callers do not both hear so."""
        await self._session.execute(_ONE_AT_A_TIME, {"key": _DUE_LOCK})
        age = func.make_interval(0, 0, 0, 0, 0, 0, every_seconds)
        young = select(reports.c.id).where(reports.c.created_at > func.clock_timestamp() - age)
        return await self._session.scalar(young.limit(1)) is None

    async def unfinished(self) -> list[UUID]:
        """Reports that nobody works on."""
        query = select(reports.c.id).where(
            reports.c.status.in_((ReportStatus.PENDING, ReportStatus.RUNNING)), _is_free()
        )
        return list(await self._session.scalars(query))


def _is_free() -> ColumnElement[bool]:
    until = reports.c.working_until
    return or_(until.is_(None), until < func.clock_timestamp())
