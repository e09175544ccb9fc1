"""The record of a command on an execution: the command itself, an audit entry, an event."""

from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.command import Command
from wtb_async.domain.events import Aggregate, Change, DomainEvent
from wtb_async.domain.execution import Execution, ExecutionStatus


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
    )
    uow.journal.record(change, command=command)
