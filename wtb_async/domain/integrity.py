"""Integrity: what is checked, what was found, and the report of one look at everything."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.integrity_events import (
    FindingsRepaired,
    IntegrityCheckCompleted,
    IntegrityCheckFailed,
    IntegrityCheckStarted,
)
from wtb_async.domain.json import JsonObject
from wtb_async.domain.transitions import TransitionTable

FINDINGS_SHOWN = 100
"""Of each check; the others are only counted."""


class Severity(StrEnum):
    """How bad a finding is, from harmless to loss."""

    INFO = "info"
    """It costs room, nothing else."""
    WARNING = "warning"
    """Something comes late."""
    ERROR = "error"
    """Something is not as it was promised."""
    CRITICAL = "critical"
    """Something that was kept is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that always holds, and how bad it is when it does not."""

    name: str
    severity: Severity
    title: str
    """What a finding of it is."""
    is_deep: bool = False
    """It reads everything there is, and is made only when that is wanted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One object for which a check does not hold."""

    subject: str
    """Its id, or what it is known by."""
    detail: str


class ReportStatus(StrEnum):
    """Where the making of a report stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


_S = ReportStatus

REPORT_TRANSITIONS = TransitionTable(
    "integrity report",
    {
        _S.PENDING: frozenset({_S.RUNNING}),
        _S.RUNNING: frozenset({_S.COMPLETED, _S.FAILED}),
        _S.COMPLETED: frozenset(),
        _S.FAILED: frozenset(),
    },
)


@dataclass(eq=False, kw_only=True)
class IntegrityReport:
    """What one look at everything has found so far; made check by check, in slices."""

    id: UUID
    created_by: str
    created_at: datetime
    deep: bool = False
    repair: list[str] = field(default_factory=list)
    """The checks whose findings are to be mended."""
    dry_run: bool = True
    """Only say what would be mended."""
    status: ReportStatus = ReportStatus.PENDING
    results: list[JsonObject] = field(default_factory=list)
    """Per check `{check, severity, title, found, repaired, findings}`, in the order made."""
    checks_done: int = 0
    checks_total: int = 0
    cursor: list[str] | None = None
    """How far the check that is being made has come; its result is the last one."""
    working_until: datetime | None = None
    """Somebody works on it until then; after that anybody may go on."""
    error: JsonObject | None = None
    version: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def start(self, checks: int, *, at: datetime) -> IntegrityCheckStarted:
        """Begin to look. Raises InvalidTransition."""
        self._move_to(ReportStatus.RUNNING)
        self.checks_total, self.started_at = checks, at
        return IntegrityCheckStarted(checks=checks)

    def complete(self, *, at: datetime) -> IntegrityCheckCompleted:
        """Every check was made. Raises InvalidTransition."""
        self._move_to(ReportStatus.COMPLETED)
        self.finished_at, self.working_until = at, None
        return IntegrityCheckCompleted(counts=self.counts)

    def fail(self, error: JsonObject, *, at: datetime) -> IntegrityCheckFailed:
        """A check could not be made. Raises InvalidTransition."""
        self._move_to(ReportStatus.FAILED)
        self.error, self.finished_at, self.working_until = error, at, None
        return IntegrityCheckFailed(error=error)

    def take(self, check: Check, findings: Sequence[Finding], cursor: list[str] | None) -> None:
        """Add what a part of a check has found; without a cursor the check is over."""
        result = self._result_of(check)
        shown = result["findings"]
        new = [asdict(each) for each in findings[: FINDINGS_SHOWN - len(shown)]]
        self._replace(
            result | {"found": result["found"] + len(findings), "findings": [*shown, *new]}
        )
        self.cursor = cursor
        self.checks_done += cursor is None

    def count_repaired(self, repaired: int) -> FindingsRepaired:
        """So many findings of the check that is being made were mended."""
        result = self.results[-1]
        self._replace(result | {"repaired": result["repaired"] + repaired})
        self.version += 1
        return FindingsRepaired(check=result["check"], repaired=repaired)

    @property
    def is_complete(self) -> bool:
        """Whether every check was made."""
        return self.checks_done == self.checks_total

    def stands_at(self, checks_done: int, cursor: list[str] | None) -> bool:
        """Whether it is being made and nobody has gone on with it from there."""
        is_there = (self.checks_done, self.cursor) == (checks_done, cursor)
        return is_there and self.status is ReportStatus.RUNNING

    def wants_repair_of(self, check: Check) -> bool:
        """Whether its findings are to be mended now."""
        return check.name in self.repair and not self.dry_run

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity."""
        return {
            severity.value: sum(
                each["found"] for each in self.results if each["severity"] == severity
            )
            for severity in Severity
        }

    def _result_of(self, check: Check) -> JsonObject:
        if self.cursor is None:
            self.results = [
                *self.results,
                {
                    "check": check.name,
                    "severity": check.severity.value,
                    "title": check.title,
                    "found": 0,
                    "repaired": 0,
                    "findings": [],
                },
            ]
        return self.results[-1]

    def _replace(self, result: JsonObject) -> None:
        # Assigned anew: changes inside of a list would not be saved.
        self.results = [*self.results[:-1], result]

    def _move_to(self, status: ReportStatus) -> None:
        REPORT_TRANSITIONS.check(self.status, status)
        self.status = status
        self.version += 1
