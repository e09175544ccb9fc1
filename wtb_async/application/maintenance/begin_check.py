"""Accepts integrity checks."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.ids import new_id
from wtb_async.application.maintenance.recording import record_report
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.events import Aggregate
from wtb_async.domain.integrity import IntegrityReport
from wtb_async.domain.integrity_events import IntegrityCheckRequested
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginCheck:
    """A request to look at everything, and to mend some of what is found."""

    caller: str
    deep: bool = False
    repair: tuple[str, ...] = ()
    dry_run: bool = True

    def to_json(self) -> JsonObject:
        """What goes on record."""
        return {"deep": self.deep, "repair": list(self.repair), "dry_run": self.dry_run}


async def begin_check(
    request: BeginCheck,
    *,
    repairable: Collection[str],
    uow_factory: UnitOfWorkFactory,
    nudges: Nudges,
) -> UUID:
    """Record that a report is wanted; the relay has it made.

    Raises InvalidInput when one of the checks has no repair.
    """
    _check_repairs(request.repair, repairable)
    async with uow_factory() as uow:
        report = _add(request, uow)
        await uow.commit()
    nudges.new_events()
    return report.id


async def begin_due_check(
    every_seconds: float, *, caller: str, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> bool:
    """Want a report when the newest is older than this; tells whether it was."""
    async with uow_factory() as uow:
        if not await uow.integrity_reports.is_due(every_seconds):
            return False
        _add(BeginCheck(caller=caller), uow)
        await uow.commit()
    nudges.new_events()
    return True


def _add(request: BeginCheck, uow: UnitOfWork) -> IntegrityReport:
    report = IntegrityReport(
        id=new_id(),
        created_by=request.caller,
        created_at=utc_now(),
        deep=request.deep,
        repair=list(request.repair),
        dry_run=request.dry_run,
    )
    command = new_command(
        CommandKind.CHECK,
        report.id,
        request.caller,
        request.to_json(),
        target=Aggregate.INTEGRITY_REPORT,
    )
    event = IntegrityCheckRequested(deep=report.deep, repair=report.repair, dry_run=report.dry_run)
    uow.integrity_reports.add(report)
    record_report(uow, report, event, None, actor=request.caller, command=command)
    return report


def _check_repairs(wanted: Collection[str], repairable: Collection[str]) -> None:
    known = ", ".join(sorted(repairable))
    violations = [
        Violation(f"repair.{number}", f"{name!r} has no repair; these have one: {known}")
        for number, name in enumerate(wanted)
        if name not in repairable
    ]
    if violations:
        raise InvalidInput(violations)
