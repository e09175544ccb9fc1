"""Accepts an execution."""

from dataclasses import asdict, dataclass

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.new_execution import new_execution
from wtb_async.application.ids import new_id
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.application.views import ExecutionView, view_of
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.events import Aggregate, Change, ExecutionCreated
from wtb_async.domain.execution import Execution, Limits
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import DEFAULT_POOL


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitExecution:
    """A request to run one input through a workflow."""

    workflow: str
    input: JsonObject
    variants: dict[str, str]
    workflow_variant: str | None
    limits: Limits
    metadata: JsonObject
    caller: str


async def submit_execution(
    request: SubmitExecution, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> ExecutionView:
    """Record the execution with its first run, and let a runner know.

    Raises:
        NotFound: no such workflow.
        InvalidInput: a variant that does not exist.
    """
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow)
        workflow.check_choice(request.variants)
        workflow.check_workflow_variant(request.workflow_variant)
        parts = new_execution(
            workflow.id,
            request.input,
            variants=request.variants,
            workflow_variant=request.workflow_variant,
            limits=request.limits,
            metadata=request.metadata,
            caller=request.caller,
        )
        uow.executions.add(*parts)
        execution = parts[0]
        command = _command(execution, request)
        uow.journal.record(_created(execution, command), command=command)
        await uow.commit()
    nudges.new_runs(DEFAULT_POOL)
    nudges.new_events()
    return view_of(execution, workflow.name)


def _created(execution: Execution, command: Command) -> Change:
    return Change(
        aggregate=Aggregate.EXECUTION,
        aggregate_id=execution.id,
        version=execution.version,
        event=ExecutionCreated(pool=DEFAULT_POOL),
        actor=execution.created_by,
        status_after=execution.status.value,
        command_id=command.id,
    )


def _command(execution: Execution, request: SubmitExecution) -> Command:
    return Command(
        id=new_id(),
        kind=CommandKind.RUN,
        target_type=Aggregate.EXECUTION.value,
        target_id=execution.id,
        issued_by=request.caller,
        created_at=utc_now(),
        payload={"variants": dict(request.variants), "limits": asdict(request.limits)},
    )
