"""Removes datasets that nothing stands on."""

from wtb_async.application.datasets.recording import asked, record
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.errors import Conflict
from wtb_async.domain.events import DatasetDeleted


async def delete_dataset(
    dataset: str, caller: str, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Remove a dataset with all its versions.

    Raises:
        NotFound: no such dataset.
        Conflict: batch tests ran on it, whose results would lose their cases.
    """
    async with uow_factory() as uow:
        found = await uow.datasets.get(dataset, for_update=True)
        if count := await uow.datasets.batch_tests_on(found.id):
            raise Conflict(f"batch tests need the cases of {found.name!r}: {count} ran on them")
        found.version += 1
        command = asked(CommandKind.DELETE_DATASET, found, caller)
        record(found, DatasetDeleted(name=found.name), command, uow)
        await uow.datasets.delete(found)
        await uow.commit()
    nudges.new_events()
