"""`/datasets/{dataset}/test-cases`: the cases of any version of a dataset, and their changes."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, JsonValue

from api.answers import JsonAnswer
from api.dependencies import Cursor, Limit, PlatformDep
from api.security import Caller, KeyedRoute
from wtb_async.application.datasets.delete_case import delete_case
from wtb_async.application.datasets.edit_case import edit_case
from wtb_async.application.datasets.views import CaseChangesView, TestCaseView
from wtb_async.application.views import Page
from wtb_async.domain.dataset import CaseContent
from wtb_async.infrastructure.postgres.queries.datasets import DatasetQueries

router = APIRouter(prefix="/datasets/{dataset}", tags=["datasets"], route_class=KeyedRoute)

Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Of the dataset; the newest if left out")
]


class CaseBody(BaseModel):
    """All of a test case but its id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: dict[str, JsonValue]
    reference: JsonValue = None
    metadata: dict[str, JsonValue] = {}


@router.get("/test-cases", operation_id="list_test_cases", response_model=Page[TestCaseView])
async def list_test_cases(
    dataset: str,
    _: Caller,
    platform: PlatformDep,
    version: Version = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> JsonAnswer:
    """The cases of a version, in order; all pages of one walk are of the version it began with."""
    queries = DatasetQueries(platform.database.engine)
    found, state = await queries.at_version(dataset, version)
    page = await queries.cases(found.id, state.version, limit=limit, cursor=cursor)
    return JsonAnswer(page)


@router.get("/test-cases/{case:path}", operation_id="get_test_case", response_model=TestCaseView)
async def get_test_case(
    dataset: str, case: str, _: Caller, platform: PlatformDep, version: Version = None
) -> JsonAnswer:
    """One case, by the id that its author gave it."""
    queries = DatasetQueries(platform.database.engine)
    found, state = await queries.at_version(dataset, version)
    return JsonAnswer(await queries.case(found.id, state.version, case))


@router.put(
    "/test-cases/{case:path}", operation_id="edit_test_case", response_model=CaseChangesView
)
async def edit_test_case(
    dataset: str, case: str, body: CaseBody, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Let a case read like this from a new version on."""
    changes = await edit_case(
        dataset,
        CaseContent(key=case, input=body.input, reference=body.reference, metadata=body.metadata),
        caller,
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return JsonAnswer(changes)


@router.delete(
    "/test-cases/{case:path}", operation_id="delete_test_case", response_model=CaseChangesView
)
async def delete_test_case(
    dataset: str, case: str, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Leave a case out from a new version on; earlier versions keep it."""
    changes = await delete_case(
        dataset, case, caller, uow_factory=platform.database.unit_of_work, nudges=platform.nudges
    )
    return JsonAnswer(changes)
