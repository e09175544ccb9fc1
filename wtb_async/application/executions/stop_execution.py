"""Stops an execution."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.application.batches.release_runs import release_runs
from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.executions.leave_group import lock_alone
from wtb_async.application.executions.recording import record_command
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind, check_accepts
from wtb_async.domain.events import DomainEvent
from wtb_async.domain.execution import Execution
from wtb_async.domain.run import Run, RunStatus
from wtb_async.domain.run_request import RequestKind, RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class StopExecution:
    """A request to end an execution that is not wanted any more."""

    execution_id: UUID
    caller: str
    reason: str | None = None


async def stop_execution(
    request: StopExecution, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Cancel an execution that no runner has at once, and have its runner stop one that runs.

    Raises:
        NotFound: no such execution.
        InvalidTransition: it has ended.
    """
    async with uow_factory() as uow:
        execution, run = await lock_alone(request.execution_id, uow)
        check_accepts(execution.status, CommandKind.STOP)
        status_before = execution.status
        payload = {"reason": request.reason}
        command = new_command(CommandKind.STOP, execution.id, request.caller, payload)
        event = _stop(execution, run, utc_now())
        record_command(uow, command, execution, event, status_before)
        await uow.commit()
    nudges.new_requests(run.pool)
    if run.limited_by is not None:
        await release_runs([run.limited_by], uow_factory=uow_factory, nudges=nudges)
    nudges.new_events()


def _stop(execution: Execution, run: Run, at: datetime) -> DomainEvent:
    if run.status is RunStatus.RUNNING:
        run.request = RunRequest(kind=RequestKind.STOP).to_json()
        return execution.ask_to_stop()
    if run.is_unclaimed:
        run.cancel(at)
    return execution.cancel(at)
