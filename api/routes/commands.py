"""`/executions/{id}/...`: what can be asked of an execution."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.answers import JsonAnswer, accepted
from api.dependencies import PlatformDep, timelines
from api.errors import described
from api.security import Caller, KeyedRoute
from wtb_async.application.executions.branch_execution import BranchExecution, branch_execution
from wtb_async.application.executions.edit_state import EditState, edit_state
from wtb_async.application.executions.pause_execution import PauseExecution, pause_execution
from wtb_async.application.executions.places import Place
from wtb_async.application.executions.resume_execution import ResumeExecution, resume_execution
from wtb_async.application.executions.roll_back_execution import (
    RollBackExecution,
    roll_back_execution,
)
from wtb_async.application.executions.stop_execution import StopExecution, stop_execution
from wtb_async.application.executions.views import ExecutionView
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries

_NOT_FOUND = {404: "There is no such execution."}
_REFUSED = {409: "The execution's status does not allow it; nothing was changed."}

router = APIRouter(tags=["commands"], route_class=KeyedRoute, responses=described(_NOT_FOUND))


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pause(_Body):
    """When to pause: at the next superstep boundary unless a node is named."""

    reason: str | None = None
    at_node: str | None = None


class Resume(_Body):
    """What to go on with.

    `answers` maps interrupt ids to answers; the bare answer will do when exactly one question is
    open. `state` is what a node would return, `as_node` the node that it counts as coming from.
    """

    state: dict[str, JsonValue] | None = None
    as_node: str | None = None
    answers: JsonValue = None


class Stop(_Body):
    """Why it is not wanted any more."""

    reason: str | None = None


class Rollback(_Body):
    """The moment to go back to: exactly one of the three."""

    checkpoint_id: UUID | None = None
    before_node: str | None = None
    after_node: str | None = None
    restore_files: bool = True


class Branch(_Body):
    """Where the new execution begins, and what is different there."""

    checkpoint_id: UUID
    state: dict[str, JsonValue] | None = None
    variants: dict[str, str] = Field(default={}, examples=[{"retriever": "tfidf"}])
    start: bool = True


class Edit(_Body):
    """New values, as if a node had returned them: reducers apply."""

    state: dict[str, JsonValue]
    as_node: str | None = None


@router.post(
    "/executions/{execution_id}/pause",
    status_code=202,
    operation_id="pause_execution",
    response_model=ExecutionView,
    responses=described(_REFUSED),
)
async def pause(
    execution_id: UUID, caller: Caller, platform: PlatformDep, body: Pause | None = None
) -> JsonAnswer:
    """Pause a running execution at the next superstep boundary, or before a node."""
    body = body or Pause()
    await pause_execution(
        PauseExecution(
            execution_id=execution_id, caller=caller, reason=body.reason, at_node=body.at_node
        ),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return await _answer(execution_id, platform)


@router.post(
    "/executions/{execution_id}/resume",
    status_code=202,
    operation_id="resume_execution",
    response_model=ExecutionView,
    responses=described(_REFUSED),
)
async def resume(
    execution_id: UUID, caller: Caller, platform: PlatformDep, body: Resume | None = None
) -> JsonAnswer:
    """Go on with a paused execution, or try a failed one again from its last checkpoint."""
    body = body or Resume()
    await resume_execution(
        ResumeExecution(
            execution_id=execution_id,
            caller=caller,
            state=body.state,
            as_node=body.as_node,
            answers=body.answers,
        ),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return await _answer(execution_id, platform)


@router.post(
    "/executions/{execution_id}/stop",
    status_code=202,
    operation_id="stop_execution",
    response_model=ExecutionView,
    responses=described(_REFUSED),
)
async def stop(
    execution_id: UUID, caller: Caller, platform: PlatformDep, body: Stop | None = None
) -> JsonAnswer:
    """Stop an execution: at a boundary, else by cancelling it, else by giving it up."""
    body = body or Stop()
    await stop_execution(
        StopExecution(execution_id=execution_id, caller=caller, reason=body.reason),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return await _answer(execution_id, platform)


@router.post(
    "/executions/{execution_id}/rollback",
    status_code=202,
    operation_id="roll_back_execution",
    response_model=ExecutionView,
    responses=described(_REFUSED),
)
async def roll_back(
    execution_id: UUID, body: Rollback, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Stand paused at an earlier moment, on a fork; the old timeline stays readable.

    The files of that moment come back with its state, unless they are to stay as they are.
    """
    await roll_back_execution(
        RollBackExecution(
            execution_id=execution_id,
            caller=caller,
            to=Place(**body.model_dump(exclude={"restore_files"})),
            restores_files=body.restore_files,
        ),
        uow_factory=platform.database.unit_of_work,
        timelines=timelines(platform),
        nudges=platform.nudges,
    )
    return await _answer(execution_id, platform)


@router.post(
    "/executions/{execution_id}/branch",
    status_code=202,
    operation_id="branch_execution",
    response_model=ExecutionView,
)
async def branch(
    execution_id: UUID, body: Branch, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Begin a new execution at a checkpoint of this one, which stays as it is."""
    branched = await branch_execution(
        BranchExecution(
            execution_id=execution_id,
            caller=caller,
            checkpoint_id=body.checkpoint_id,
            state=body.state,
            variants=body.variants,
            starts=body.start,
        ),
        uow_factory=platform.database.unit_of_work,
        timelines=timelines(platform),
        nudges=platform.nudges,
    )
    return await _answer(branched, platform)


@router.patch(
    "/executions/{execution_id}/state",
    status_code=202,
    operation_id="edit_state",
    response_model=ExecutionView,
    responses=described(_REFUSED),
)
async def edit(execution_id: UUID, body: Edit, caller: Caller, platform: PlatformDep) -> JsonAnswer:
    """Change the state of a paused execution; it is pending until a runner has done so."""
    await edit_state(
        EditState(execution_id=execution_id, caller=caller, state=body.state, as_node=body.as_node),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return await _answer(execution_id, platform)


async def _answer(execution_id: UUID, platform: PlatformDep) -> JsonAnswer:
    execution = await ExecutionQueries(platform.database.engine).get(execution_id)
    return accepted(execution, f"/api/v1/executions/{execution_id}")
