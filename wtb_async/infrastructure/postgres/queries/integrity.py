"""Reads integrity reports."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from wtb_async.application.maintenance.views import IntegrityReportView, view_of_report
from wtb_async.domain.errors import NotFound
from wtb_async.domain.integrity import IntegrityReport
from wtb_async.infrastructure.postgres.integrity_tables import integrity_reports as reports


class IntegrityQueries:
    """Reads what checks have found."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], repairable: frozenset[str]
    ) -> None:
        self._sessions = sessions
        self._repairable = repairable

    async def report(self, report_id: UUID | None) -> IntegrityReportView:
        """A report, or the newest. Raises NotFound."""
        query = select(IntegrityReport).order_by(reports.c.id.desc()).limit(1)
        if report_id is not None:
            query = query.where(reports.c.id == report_id)
        async with self._sessions() as session:
            found = await session.scalar(query)
        if found is None:
            raise NotFound("integrity report", report_id or "newest")
        return view_of_report(found, self._repairable)
