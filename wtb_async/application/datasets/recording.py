"""The record of changes of a dataset."""

from wtb_async.application.clock import utc_now
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.dataset import CaseChanges, Dataset
from wtb_async.domain.events import Aggregate, Change, DatasetChanged, DomainEvent


def record(dataset: Dataset, event: DomainEvent, actor: str, uow: UnitOfWork) -> None:
    """Write the event at the dataset's present version."""
    uow.journal.record(
        Change(
            aggregate=Aggregate.DATASET,
            aggregate_id=dataset.id,
            version=dataset.version,
            event=event,
            actor=actor,
        )
    )


def record_changes(dataset: Dataset, changes: CaseChanges, actor: str, uow: UnitOfWork) -> None:
    """Make the version that these changes lead to; no change, no version."""
    if not changes:
        return
    uow.datasets.add_version(dataset.change_cases(changes, by=actor, at=utc_now()))
    event = DatasetChanged(
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
        cases=dataset.cases,
    )
    record(dataset, event, actor, uow)
