"""The record of changes of a dataset."""

from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.dataset import CaseChanges, Dataset
from wtb_async.domain.events import Aggregate, Change, DatasetChanged, DomainEvent
from wtb_async.domain.json import JsonObject


def asked(
    kind: CommandKind, dataset: Dataset, caller: str, payload: JsonObject | None = None
) -> Command:
    """The recorded request to make, change or remove a dataset."""
    return new_command(kind, dataset.id, caller, payload or {}, target=Aggregate.DATASET)


def record(dataset: Dataset, event: DomainEvent, command: Command, uow: UnitOfWork) -> None:
    """Write down a command with the event at the dataset's present version."""
    change = Change(
        aggregate=Aggregate.DATASET,
        aggregate_id=dataset.id,
        version=dataset.version,
        event=event,
        actor=command.issued_by,
    )
    uow.journal.record(change, command=command)


def record_changes(
    dataset: Dataset, changes: CaseChanges, command: Command, uow: UnitOfWork
) -> None:
    """Make the version that these changes lead to; no change, no version and no record."""
    if not changes:
        return
    version = dataset.change_cases(changes, by=command.issued_by, at=utc_now())
    uow.datasets.add_version(version)
    event = DatasetChanged(
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
        cases=dataset.cases,
    )
    record(dataset, event, command, uow)
