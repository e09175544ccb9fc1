"""Asks for an execution to be paused."""

from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.commands import new_command
from wtb_async.application.executions.leave_group import lock_alone
from wtb_async.application.executions.recording import record_command
from wtb_async.application.executions.successor import announce_run
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind, check_accepts
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.run_request import RequestKind, RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseExecution:
    """A request to pause at the next superstep boundary, or before a node."""

    execution_id: UUID
    caller: str
    reason: str | None = None
    at_node: str | None = None


async def pause_execution(
    request: PauseExecution, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Record that the caller wants this execution paused, and tell its runner.

    Raises:
        NotFound: no such execution.
        InvalidInput: the graph has no such node.
        InvalidTransition: it does not run, or is being stopped.
    """
    async with uow_factory() as uow:
        execution, run = await lock_alone(request.execution_id, uow)
        check_accepts(execution.status, CommandKind.PAUSE)
        if run.must_stop:
            raise InvalidTransition("the execution is being stopped")
        if request.at_node is not None:
            workflow = await uow.workflows.get(execution.workflow_id)
            workflow.check_nodes(
                {"at_node": request.at_node}, workflow_variant=execution.workflow_variant
            )
        run.request = RunRequest(kind=RequestKind.PAUSE, at_node=request.at_node).to_json()
        payload = {"reason": request.reason, "at_node": request.at_node}
        command = new_command(CommandKind.PAUSE, execution.id, request.caller, payload)
        event = execution.ask_to_pause(request.at_node)
        record_command(uow, command, execution, event, execution.status)
        await uow.commit()
    await announce_run(run, uow_factory=uow_factory, nudges=nudges)
    nudges.new_requests(run.pool)
    nudges.new_events()
