"""What Postgres knows of the system's load and soundness, in figures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# Every part has an index of its own that holds little more than what is counted. Runs that have
# ended are not counted: there may be millions of them.
_FIGURES = text(
    """
    SELECT
        (SELECT count(*) FROM wtb_outbox WHERE sent_at IS NULL AND dead_at IS NULL)
            AS outbox_open,
        (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8
            FROM wtb_outbox WHERE sent_at IS NULL AND dead_at IS NULL) AS outbox_age_seconds,
        (SELECT count(*) FROM wtb_outbox WHERE dead_at IS NOT NULL) AS dead_letters,
        (SELECT count(*) FROM wtb_runs WHERE status = 'pending') AS runs_pending,
        (SELECT count(*) FROM wtb_runs WHERE status = 'running') AS runs_running,
        (SELECT count(*) FROM wtb_runs WHERE status = 'waiting' AND limited_by IS NOT NULL)
            AS runs_waiting,
        (SELECT count(*) FROM wtb_runners WHERE status = 'alive'
            AND heartbeat_at > clock_timestamp() - make_interval(secs => :lease_seconds))
            AS runners,
        (SELECT count(*) FROM wtb_failed_verifications) AS failed_verifications,
        report.finished_at AS checked_at, COALESCE(report.results, '[]') AS results
    FROM (SELECT) AS once LEFT JOIN (
        SELECT finished_at, results FROM wtb_integrity_reports
        WHERE status = 'completed' ORDER BY id DESC LIMIT 1
    ) AS report ON TRUE
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFigures:
    """How many findings of a check the newest report has that were not mended."""

    check: str
    severity: str
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFigures:
    """The system at one moment."""

    outbox_open: int
    outbox_age_seconds: float
    dead_letters: int
    open_runs: dict[str, int]
    runners: int
    failed_verifications: int
    checked_at: datetime | None
    """When the newest integrity report was complete."""
    checks: list[CheckFigures]


class MetricQueries:
    """Reads what `/metrics` tells."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def figures(self, lease_seconds: float) -> SystemFigures:
        """The present figures, by one statement."""
        async with self._engine.connect() as connection:
            found = await connection.execute(_FIGURES, {"lease_seconds": lease_seconds})
            row = found.mappings().one()
        return SystemFigures(
            outbox_open=row["outbox_open"],
            outbox_age_seconds=row["outbox_age_seconds"] or 0.0,
            dead_letters=row["dead_letters"],
            open_runs={name: row[f"runs_{name}"] for name in ("pending", "running", "waiting")},
            runners=row["runners"],
            failed_verifications=row["failed_verifications"],
            checked_at=row["checked_at"],
            checks=[_of_check(result) for result in row["results"]],
        )


def _of_check(result: dict[str, Any]) -> CheckFigures:
    return CheckFigures(
        check=result["check"],
        severity=result["severity"],
        findings=result["found"] - result["repaired"],
    )
