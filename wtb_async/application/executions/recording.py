"""The record of a command on an execution: the command itself, an audit entry, an event."""

from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.events import Aggregate, Change, DomainEvent
from wtb_async.domain.execution import Execution, ExecutionStatus
from wtb_async.domain.json import JsonObject


def new_command(
    kind: CommandKind,
    target_id: UUID,
    caller: str,
    payload: JsonObject,
    *,
    target: Aggregate = Aggregate.EXECUTION,
) -> Command:
    """A command on an execution or another object, issued now."""
    return Command(
        id=new_id(),
        kind=kind,
        target_type=target.value,
        target_id=target_id,
        issued_by=caller,
        created_at=utc_now(),
        payload=payload,
    )


def record_command(
    uow: UnitOfWork,
    command: Command,
    execution: Execution,
    event: DomainEvent,
    status_before: ExecutionStatus | None,
) -> None:
    """Write down a command with the change that it has made of the execution."""
    change = Change(
        aggregate=Aggregate.EXECUTION,
        aggregate_id=execution.id,
        version=execution.version,
        event=event,
        actor=command.issued_by,
        status_before=status_before.value if status_before else None,
        status_after=execution.status.value,
        command_id=command.id,
    )
    uow.journal.record(change, command=command)
