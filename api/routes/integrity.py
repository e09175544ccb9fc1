"""`/integrity/check`: whether everything is as it was promised."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JsonAnswer, accepted
from api.dependencies import PlatformDep
from api.errors import described
from api.security import Caller, KeyedRoute
from wtb_async.application.maintenance.begin_check import BeginCheck, begin_check
from wtb_async.application.maintenance.views import IntegrityReportView
from wtb_async.bootstrap.integrity import integrity_checks
from wtb_async.bootstrap.platform import Platform
from wtb_async.infrastructure.postgres.queries.integrity import IntegrityQueries

router = APIRouter(prefix="/integrity/check", tags=["integrity"], route_class=KeyedRoute)

_NOT_THERE = described({404: "No such report, or none yet"})


class CheckRequest(BaseModel):
    """What to look at, and what to mend."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deep: bool = False
    """Read every blob, too."""
    repair: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] = []
    """The checks whose findings are to be mended."""
    dry_run: bool = True
    """Only say what would be mended."""


@router.post(
    "", status_code=202, operation_id="begin_integrity_check", response_model=IntegrityReportView
)
async def begin(body: CheckRequest, caller: Caller, platform: PlatformDep) -> JsonAnswer:
    """Look at everything; the report fills up while a worker does."""
    report_id = await begin_check(
        BeginCheck(caller=caller, deep=body.deep, repair=tuple(body.repair), dry_run=body.dry_run),
        repairable=integrity_checks(platform).repairable,
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    report = await _queries(platform).report(report_id)
    return accepted(report, f"/api/v1/integrity/check/{report_id}")


@router.get(
    "",
    operation_id="get_newest_integrity_report",
    response_model=IntegrityReportView,
    responses=_NOT_THERE,
)
async def newest(_: Caller, platform: PlatformDep) -> JsonAnswer:
    """The newest report, as far as it is."""
    return JsonAnswer(await _queries(platform).report(None))


@router.get(
    "/{report_id}",
    operation_id="get_integrity_report",
    response_model=IntegrityReportView,
    responses=_NOT_THERE,
)
async def get_report(report_id: UUID, _: Caller, platform: PlatformDep) -> JsonAnswer:
    """A report, as far as it is."""
    return JsonAnswer(await _queries(platform).report(report_id))


def _queries(platform: Platform) -> IntegrityQueries:
    repairable = integrity_checks(platform).repairable
    return IntegrityQueries(platform.database.sessions, repairable)
