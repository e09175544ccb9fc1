"""Makes datasets."""

from wtb_async.application.clock import utc_now
from wtb_async.application.datasets.recording import asked, record
from wtb_async.application.ids import new_id
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.dataset import Dataset
from wtb_async.domain.events import DatasetCreated


async def create_dataset(
    name: str, description: str, caller: str, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> Dataset:
    """Keep a new dataset without cases. Raises AlreadyExists when the name is taken."""
    now = utc_now()
    dataset = Dataset(
        id=new_id(),
        name=name,
        description=description,
        created_by=caller,
        created_at=now,
        updated_at=now,
    )
    async with uow_factory() as uow:
        uow.datasets.add(dataset)
        uow.datasets.add_version(dataset.first_version())
        command = asked(CommandKind.CREATE_DATASET, dataset, caller, {"name": name})
        record(dataset, DatasetCreated(name=name), command, uow)
        await uow.commit()
    nudges.new_events()
    return dataset
