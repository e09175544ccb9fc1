"""Integrity checks of a test's database: made at once, and damage for them to find."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from wtb_async.application.maintenance.begin_check import BeginCheck, begin_check
from wtb_async.application.maintenance.perform_check import perform_check
from wtb_async.application.maintenance.views import IntegrityReportView
from wtb_async.bootstrap.integrity import integrity_checks
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.integrity import ReportStatus
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.integrity import IntegrityQueries


def without_grace(platform: Platform) -> Platform:
    """The platform on which nothing is too fresh to be a finding."""
    integrity = platform.settings.integrity.model_copy(update={"grace_seconds": 0.0})
    settings = platform.settings.model_copy(update={"integrity": integrity})
    return replace(platform, settings=settings)


async def begin(platform: Platform, *repair: str, dry_run: bool = True, deep: bool = False) -> UUID:
    """Accept a check."""
    return await begin_check(
        BeginCheck(caller="somebody", deep=deep, repair=repair, dry_run=dry_run),
        repairable=integrity_checks(platform).repairable,
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )


async def report_on(platform: Platform, report_id: UUID) -> IntegrityReportView:
    """Read a report."""
    checks = integrity_checks(platform)
    return await IntegrityQueries(platform.database.sessions, checks.repairable).report(report_id)


async def check(
    platform: Platform, *repair: str, dry_run: bool = True, deep: bool = False
) -> IntegrityReportView:
    """Make a check to its end."""
    report_id = await begin(platform, *repair, dry_run=dry_run, deep=deep)
    assert await perform_check(
        report_id,
        uow_factory=platform.database.unit_of_work,
        checks=integrity_checks(without_grace(platform)),
        work_seconds=600.0,
    )
    report = await report_on(platform, report_id)
    assert report.status is ReportStatus.COMPLETED, report.error
    return report


def found_in(report: IntegrityReportView) -> dict[str, list[str]]:
    """The subjects of each check that has found something."""
    return {
        result.check: [finding.subject for finding in result.findings]
        for result in report.results
        if result.found
    }


async def damage(database: Database, statement: str, **parameters: object) -> None:
    """Change rows as a fault of the disk would: no foreign key is in the way."""
    async with database.engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text(statement), parameters)
