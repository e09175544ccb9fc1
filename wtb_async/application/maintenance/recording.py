"""The record of an integrity report: the command behind it, audit entries, events."""

from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.command import Command
from wtb_async.domain.events import Aggregate, Change, DomainEvent
from wtb_async.domain.integrity import IntegrityReport, ReportStatus

ACTOR = "integrity"
"""Who looks at everything and mends it, in the audit trail."""


def record_report(
    uow: UnitOfWork,
    report: IntegrityReport,
    event: DomainEvent,
    status_before: ReportStatus | None,
    *,
    actor: str,
    command: Command | None = None,
) -> None:
    """Write down what has become of a report, with the command if somebody gave one."""
    change = Change(
        aggregate=Aggregate.INTEGRITY_REPORT,
        aggregate_id=report.id,
        version=report.version,
        event=event,
        actor=actor,
        status_before=status_before.value if status_before else None,
        status_after=report.status.value,
    )
    uow.journal.record(change, command=command)
