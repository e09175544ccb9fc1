"""`/executions`: what was asked for, and what became of it."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.answers import JsonAnswer, accepted
from api.dependencies import Cursor, Limit, PlatformDep
from api.moments import Moment
from api.routes.limits import LimitsBody
from api.routes.stream_choice import StreamChoice
from api.security import Caller, KeyedRoute
from wtb_async.application.executions.submit_execution import SubmitExecution, submit_execution
from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.views import Page
from wtb_async.domain.execution import Breakpoints, ExecutionStatus
from wtb_async.domain.stream_mode import stream_modes
from wtb_async.infrastructure.postgres.queries.executions import ExecutionFilter, ExecutionQueries

router = APIRouter(tags=["executions"], route_class=KeyedRoute)


class BreakpointsBody(BaseModel):
    """Nodes before and after which the execution pauses."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def to_domain(self) -> Breakpoints:
        """The same as a domain value."""
        return Breakpoints(self.before, self.after)


class ExecuteWorkflow(BaseModel):
    """One input, and the variants to run it with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: dict[str, JsonValue]
    variants: dict[str, str] = Field(default={}, examples=[{"retriever": "tfidf"}])
    workflow_variant: str | None = None
    breakpoints: BreakpointsBody = BreakpointsBody()
    stream: StreamChoice = ()
    limits: LimitsBody = LimitsBody()
    metadata: dict[str, JsonValue] = {}


class NewExecution(ExecuteWorkflow):
    """The same with the workflow's name or id."""

    workflow: str


@router.post(
    "/executions", status_code=202, operation_id="create_execution", response_model=ExecutionView
)
async def create_execution(body: NewExecution, caller: Caller, platform: PlatformDep) -> JsonAnswer:
    """Accept an execution; a runner starts it within milliseconds."""
    return await _submit(body.workflow, body, caller, platform)


@router.post(
    "/workflows/{workflow}/execute",
    status_code=202,
    operation_id="execute_workflow",
    response_model=ExecutionView,
)
async def execute_workflow(
    workflow: str, body: ExecuteWorkflow, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """The same, with the workflow in the path."""
    return await _submit(workflow, body, caller, platform)


@router.get("/executions", operation_id="list_executions", response_model=Page[ExecutionView])
async def list_executions(
    _: Caller,
    platform: PlatformDep,
    workflow: str | None = None,
    status: ExecutionStatus | None = None,
    batch: UUID | None = None,
    parent: UUID | None = None,
    created_after: Moment | None = None,
    created_before: Moment | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JsonAnswer:
    """Executions that match every filter given, newest first."""
    wanted = ExecutionFilter(
        workflow=workflow,
        status=status,
        batch=batch,
        parent=parent,
        created_after=created_after,
        created_before=created_before,
    )
    queries = ExecutionQueries(platform.database.engine)
    return JsonAnswer(await queries.list(wanted, limit=limit, cursor=cursor))


@router.get(
    "/executions/{execution_id}", operation_id="get_execution", response_model=ExecutionView
)
async def get_execution(execution_id: UUID, _: Caller, platform: PlatformDep) -> JsonAnswer:
    """One execution as it stands."""
    return JsonAnswer(await ExecutionQueries(platform.database.engine).get(execution_id))


async def _submit(
    workflow: str, body: ExecuteWorkflow, caller: str, platform: PlatformDep
) -> JsonAnswer:
    execution = await submit_execution(
        SubmitExecution(
            workflow=workflow,
            input=body.input,
            variants=body.variants,
            workflow_variant=body.workflow_variant,
            breakpoints=body.breakpoints.to_domain(),
            stream=stream_modes(body.stream),
            limits=body.limits.to_domain(),
            metadata=body.metadata,
            caller=caller,
        ),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    return accepted(execution, f"/api/v1/executions/{execution.id}")
