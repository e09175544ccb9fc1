"""`/executions/{id}/...`: what happened, step by step, and the state at every step."""

from uuid import UUID

from fastapi import APIRouter

from api.answers import JsonAnswer
from api.dependencies import Cursor, Limit, PlatformDep, checkpoint_history, state_reader
from api.security import Caller, KeyedRoute
from wtb_async.application.executions.views import CheckpointView, NodeBoundaryView, StateView
from wtb_async.application.views import Page
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries

router = APIRouter(tags=["executions"], route_class=KeyedRoute)


@router.get(
    "/executions/{execution_id}/checkpoints",
    operation_id="list_checkpoints",
    response_model=Page[CheckpointView],
)
async def list_checkpoints(
    execution_id: UUID,
    _: Caller,
    platform: PlatformDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JsonAnswer:
    """The execution's timeline, takeovers included, newest first, without the values."""
    execution = await ExecutionQueries(platform.database.engine).get(execution_id)
    timeline = checkpoint_history(platform)
    return JsonAnswer(await timeline.of_lineage(execution.thread_id, limit=limit, cursor=cursor))


@router.get(
    "/executions/{execution_id}/checkpoints/{checkpoint_id}",
    operation_id="get_checkpoint",
    response_model=CheckpointView,
)
async def get_checkpoint(
    execution_id: UUID, checkpoint_id: UUID, _: Caller, platform: PlatformDep
) -> JsonAnswer:
    """One point of the timeline, as the list shows it."""
    execution = await ExecutionQueries(platform.database.engine).get(execution_id)
    timeline = checkpoint_history(platform)
    return JsonAnswer(await timeline.checkpoint(execution.thread_id, checkpoint_id))


@router.get("/executions/{execution_id}/state", operation_id="get_state", response_model=StateView)
async def get_state(
    execution_id: UUID, _: Caller, platform: PlatformDep, checkpoint_id: UUID | None = None
) -> JsonAnswer:
    """The values at a checkpoint of the timeline; without one, at the newest."""
    execution = await ExecutionQueries(platform.database.engine).get(execution_id)
    return JsonAnswer(await state_reader(platform).read(execution, checkpoint_id))


@router.get(
    "/executions/{execution_id}/nodes",
    operation_id="list_execution_nodes",
    response_model=Page[NodeBoundaryView],
)
async def list_execution_nodes(
    execution_id: UUID,
    _: Caller,
    platform: PlatformDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JsonAnswer:
    """Every attempt of every node with its times, input and output, oldest first."""
    queries = NodeBoundaryQueries(platform.database.engine)
    return JsonAnswer(await queries.list(execution_id, limit=limit, cursor=cursor))
