"""`/integrity/check`: whether everything is as it was promised."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from wtb_async.domain.integrity import ReportStatus, Severity
from wtb_async.sdk.connection import Connection, Id, path_of
from wtb_async.sdk.models import Answer

_FAILING = frozenset({Severity.ERROR, Severity.CRITICAL})
_POLL_SECONDS = 0.5


class Finding(Answer):
    """One object for which a check does not hold."""

    subject: str
    detail: str


class CheckResult(Answer):
    """What a check has found; `findings` are the first of `found`."""

    check: str
    severity: Severity
    title: str
    found: int
    repaired: int
    is_repairable: bool
    findings: tuple[Finding, ...]


class IntegrityReport(Answer):
    """One look at everything; `counts` are findings by severity."""

    id: UUID
    status: ReportStatus
    deep: bool
    repair: tuple[str, ...]
    dry_run: bool
    checks_done: int
    checks_total: int
    counts: dict[Severity, int]
    results: tuple[CheckResult, ...]
    error: JsonValue = None
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing will be added to it."""
        return self.status in (ReportStatus.COMPLETED, ReportStatus.FAILED)

    @property
    def is_sound(self) -> bool:
        """Whether it is complete and nothing is left in it that is as bad as an error."""
        left = [each.found > each.repaired for each in self.results if each.severity in _FAILING]
        return self.status is ReportStatus.COMPLETED and not any(left)


class Integrity:
    """Checks of a server's database and files."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def check(
        self, *, deep: bool = False, repair: Collection[str] = (), dry_run: bool = True
    ) -> IntegrityReport:
        """Have everything looked at.

        Args:
            deep: read every blob, too.
            repair: the checks whose findings are to be mended.
            dry_run: only say what would be.
        """
        body: dict[str, JsonValue] = {"deep": deep, "repair": [*repair], "dry_run": dry_run}
        return await self._connection.post(IntegrityReport, path_of("integrity", "check"), body)

    async def report(self, report_id: Id | None = None) -> IntegrityReport:
        """Read a report, or the newest, as far as it is."""
        named = () if report_id is None else (report_id,)
        return await self._connection.get(IntegrityReport, path_of("integrity", "check", *named))

    async def wait_for(self, report_id: Id) -> IntegrityReport:
        """Wait until a report is complete, or has failed."""
        report = await self.report(report_id)
        while not report.has_ended:
            await asyncio.sleep(_POLL_SECONDS)
            report = await self.report(report_id)
        return report
