"""Gives datasets other names and descriptions."""

from dataclasses import dataclass

from wtb_async.application.clock import utc_now
from wtb_async.application.datasets.recording import asked, record
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.dataset import Dataset
from wtb_async.domain.events import DatasetDescribed


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeDataset:
    """A request to rename or describe; what is None stays."""

    dataset: str
    name: str | None
    description: str | None
    caller: str


async def describe_dataset(
    request: DescribeDataset, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> Dataset:
    """Rename or describe a dataset. Raises NotFound, AlreadyExists."""
    async with uow_factory() as uow:
        dataset = await uow.datasets.get(request.dataset, for_update=True)
        version = dataset.describe(
            name=request.name, description=request.description, by=request.caller, at=utc_now()
        )
        uow.datasets.add_version(version)
        payload = {"name": request.name, "description": request.description}
        command = asked(CommandKind.DESCRIBE_DATASET, dataset, request.caller, payload)
        record(dataset, DatasetDescribed(name=dataset.name), command, uow)
        await uow.commit()
    nudges.new_events()
    return dataset
