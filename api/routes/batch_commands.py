"""`/batch-tests/{id}/...`: what can be asked of a whole batch test."""

from collections.abc import Awaitable
from typing import Protocol
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from api.answers import JsonAnswer, accepted
from api.dependencies import PlatformDep
from api.errors import described
from api.security import Caller, KeyedRoute
from wtb_async.application.batches.batch_command import BatchCommand
from wtb_async.application.batches.pause_batch import pause_batch
from wtb_async.application.batches.resume_batch import resume_batch
from wtb_async.application.batches.retry_failed import retry_failed
from wtb_async.application.batches.stop_batch import stop_batch
from wtb_async.application.batches.views import BatchTestView
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.bootstrap.platform import Platform
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

_PROBLEMS = {
    404: "There is no such batch test.",
    409: "The batch test's status does not allow it; nothing was changed.",
}

router = APIRouter(tags=["commands"], route_class=KeyedRoute, responses=described(_PROBLEMS))


class BatchCommandBody(BaseModel):
    """Why, for the record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str | None = None


class _UseCase(Protocol):
    def __call__(
        self, request: BatchCommand, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
    ) -> Awaitable[None]: ...


@router.post(
    "/batch-tests/{batch_test_id}/pause",
    status_code=202,
    operation_id="pause_batch_test",
    response_model=BatchTestView,
)
async def pause(
    batch_test_id: UUID,
    caller: Caller,
    platform: PlatformDep,
    body: BatchCommandBody | None = None,
) -> JsonAnswer:
    """Begin nothing more of it, and pause what runs at the next superstep boundary."""
    return await _carry_out(pause_batch, batch_test_id, caller, platform, body)


@router.post(
    "/batch-tests/{batch_test_id}/resume",
    status_code=202,
    operation_id="resume_batch_test",
    response_model=BatchTestView,
)
async def resume(
    batch_test_id: UUID,
    caller: Caller,
    platform: PlatformDep,
    body: BatchCommandBody | None = None,
) -> JsonAnswer:
    """Go on with what the pause held up, or with what was cancelled when the batch test ended."""
    return await _carry_out(resume_batch, batch_test_id, caller, platform, body)


@router.post(
    "/batch-tests/{batch_test_id}/stop",
    status_code=202,
    operation_id="stop_batch_test",
    response_model=BatchTestView,
)
async def stop(
    batch_test_id: UUID,
    caller: Caller,
    platform: PlatformDep,
    body: BatchCommandBody | None = None,
) -> JsonAnswer:
    """Cancel what waits at once, and stop what runs."""
    return await _carry_out(stop_batch, batch_test_id, caller, platform, body)


@router.post(
    "/batch-tests/{batch_test_id}/retry-failed",
    status_code=202,
    operation_id="retry_failed_of_batch_test",
    response_model=BatchTestView,
)
async def retry(
    batch_test_id: UUID,
    caller: Caller,
    platform: PlatformDep,
    body: BatchCommandBody | None = None,
) -> JsonAnswer:
    """Try its failed executions again from their last checkpoints."""
    return await _carry_out(retry_failed, batch_test_id, caller, platform, body)


async def _carry_out(
    use_case: _UseCase,
    batch_id: UUID,
    caller: str,
    platform: Platform,
    body: BatchCommandBody | None,
) -> JsonAnswer:
    await use_case(
        BatchCommand(batch_id=batch_id, caller=caller, reason=body.reason if body else None),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    batch = await BatchTestQueries(platform.database.engine).get(batch_id)
    return accepted(batch, f"/api/v1/batch-tests/{batch_id}")
