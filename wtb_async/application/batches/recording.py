"""The record of a change of a batch test: the command behind it, an audit entry, an event."""

from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.batch_test import BatchStatus, BatchTest
from wtb_async.domain.command import Command
from wtb_async.domain.events import Aggregate, Change, DomainEvent


def record_batch_change(
    uow: UnitOfWork,
    batch: BatchTest,
    event: DomainEvent,
    status_before: BatchStatus | None,
    *,
    actor: str,
    command: Command | None = None,
) -> None:
    """Write down what has become of a batch test, with the command if somebody gave one."""
    change = Change(
        aggregate=Aggregate.BATCH_TEST,
        aggregate_id=batch.id,
        version=batch.version,
        event=event,
        actor=actor,
        status_before=status_before.value if status_before else None,
        status_after=batch.status.value,
    )
    uow.journal.record(change, command=command)
