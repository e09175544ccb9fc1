"""Accepts an execution."""

from dataclasses import asdict, dataclass
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.executions.plan import ExecutionPlan, PlannedInput, plan_one
from wtb_async.application.executions.views import ExecutionView, view_of_planned
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.events import Aggregate, Change, ExecutionCreated
from wtb_async.domain.execution import Breakpoints, ExecutionStatus, Limits
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.domain.json import JsonObject
from wtb_async.domain.stream_mode import StreamMode
from wtb_async.domain.workflow import BASE_VARIANT


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitExecution:
    """A request to run one input through a workflow."""

    workflow: str
    input: JsonObject
    variants: dict[str, str]
    workflow_variant: str | None
    breakpoints: Breakpoints
    stream: tuple[StreamMode, ...]
    limits: Limits
    metadata: JsonObject
    caller: str


async def submit_execution(
    request: SubmitExecution, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> ExecutionView:
    """Record the execution with its first run, and let a runner know.

    Raises:
        NotFound: no such workflow.
        InvalidInput: a variant or a node that does not exist.
    """
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow)
        graph = None if request.workflow_variant == BASE_VARIANT else request.workflow_variant
        workflow.check_workflow_variant(graph)
        workflow.check_choice(request.variants, workflow_variant=graph)
        workflow.check_nodes(request.breakpoints.by_field(), workflow_variant=graph)
        plan = _plan(workflow.id, request, GraphChoice(request.variants, graph))
        uow.executions.add(plan)
        command = _command(plan)
        uow.journal.record(_created(plan, command), command=command)
        await uow.commit()
    nudges.new_runs(plan.pool)
    nudges.new_events()
    return view_of_planned(plan, workflow.name)


def _plan(workflow_id: UUID, request: SubmitExecution, choice: GraphChoice) -> ExecutionPlan:
    return ExecutionPlan(
        workflow_id=workflow_id,
        inputs=[PlannedInput(input=request.input)],
        choices=[choice],
        executions=[plan_one()],
        breakpoints=request.breakpoints,
        stream=request.stream,
        limits=request.limits,
        metadata=request.metadata,
        caller=request.caller,
        created_at=utc_now(),
    )


def _created(plan: ExecutionPlan, command: Command) -> Change:
    return Change(
        aggregate=Aggregate.EXECUTION,
        aggregate_id=command.target_id,
        version=plan.first_version,
        event=ExecutionCreated(pool=plan.pool),
        actor=plan.caller,
        status_after=ExecutionStatus.PENDING.value,
    )


def _command(plan: ExecutionPlan) -> Command:
    choice = plan.choices[0]
    return new_command(
        CommandKind.RUN,
        plan.executions[0].execution_id,
        plan.caller,
        {**asdict(choice), "limits": asdict(plan.limits)},
    )
