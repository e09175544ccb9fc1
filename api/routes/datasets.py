"""`/datasets`: named test cases with versions."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JsonAnswer, created
from api.dependencies import Cursor, Limit, PlatformDep
from api.security import Caller, KeyedRoute
from wtb_async.application.datasets.create_dataset import create_dataset
from wtb_async.application.datasets.delete_dataset import delete_dataset
from wtb_async.application.datasets.describe_dataset import DescribeDataset, describe_dataset
from wtb_async.application.datasets.views import (
    DatasetVersionView,
    DatasetView,
    view_of_dataset,
)
from wtb_async.application.views import Page
from wtb_async.infrastructure.postgres.queries.datasets import DatasetQueries

router = APIRouter(prefix="/datasets", tags=["datasets"], route_class=KeyedRoute)

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][\w.\- ]*$")]
Description = Annotated[str, Field(max_length=10_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewDataset(_Body):
    """A dataset without cases."""

    name: Name
    description: Description = ""


class DatasetChanges(_Body):
    """What to change; what is left out stays."""

    name: Name | None = None
    description: Description | None = None


@router.post("", status_code=201, operation_id="create_dataset", response_model=DatasetView)
async def create(body: NewDataset, caller: Caller, platform: PlatformDep) -> JsonAnswer:
    """Make an empty dataset."""
    dataset = await create_dataset(
        body.name,
        body.description,
        caller,
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return created(view_of_dataset(dataset), f"/api/v1/datasets/{dataset.id}")


@router.get("", operation_id="list_datasets", response_model=Page[DatasetView])
async def list_datasets(
    _: Caller, platform: PlatformDep, limit: Limit = 50, cursor: Cursor = None
) -> JsonAnswer:
    """Datasets, newest first."""
    queries = DatasetQueries(platform.database.engine)
    return JsonAnswer(await queries.list(limit=limit, cursor=cursor))


@router.get("/{dataset}", operation_id="get_dataset", response_model=DatasetView)
async def get_dataset(dataset: str, _: Caller, platform: PlatformDep) -> JsonAnswer:
    """A dataset by name or id."""
    return JsonAnswer(await DatasetQueries(platform.database.engine).get(dataset))


@router.patch("/{dataset}", operation_id="describe_dataset", response_model=DatasetView)
async def describe(
    dataset: str, body: DatasetChanges, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Rename or describe a dataset."""
    changed = await describe_dataset(
        DescribeDataset(
            dataset=dataset, name=body.name, description=body.description, caller=caller
        ),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return JsonAnswer(view_of_dataset(changed))


@router.delete("/{dataset}", status_code=204, operation_id="delete_dataset")
async def delete(dataset: str, caller: Caller, platform: PlatformDep) -> Response:
    """Remove a dataset with all its versions; refused when batch tests ran on it."""
    await delete_dataset(
        dataset, caller, uow_factory=platform.database.unit_of_work, nudges=platform.nudges
    )
    return Response(status_code=204)


@router.get(
    "/{dataset}/versions",
    operation_id="list_dataset_versions",
    response_model=Page[DatasetVersionView],
)
async def list_versions(
    dataset: str, _: Caller, platform: PlatformDep, limit: Limit = 50, cursor: Cursor = None
) -> JsonAnswer:
    """Its versions, newest first, each with how its cases differ from those before."""
    queries = DatasetQueries(platform.database.engine)
    found = await queries.get(dataset)
    return JsonAnswer(await queries.versions(found.id, limit=limit, cursor=cursor))
