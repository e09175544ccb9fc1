"""Lets an execution go its own way while others go on sharing its run."""

from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.application.runs.groups import Parting
from wtb_async.domain.execution import Execution
from wtb_async.domain.run import ForkReason, Run, Thread
from wtb_async.domain.run_request import RequestKind, RunRequest


async def lock_alone(execution_id: UUID, uow: UnitOfWork) -> tuple[Execution, Run]:
    """Lock an execution with a run that serves no other, for a command on this execution alone.

    An execution that shares its run leaves it at once for a run of its own, on a fork of the thread
    at its last checkpoint. The others notice nothing. Raises NotFound.
    """
    execution, run = await uow.executions.lock(execution_id)
    if not run.is_of_group:
        return execution, run
    await uow.runs.part([_leave(execution, run)])
    if not await uow.runs.serves_anybody(run.id):
        _end(run)
    return await uow.executions.lock(execution_id)


def _leave(execution: Execution, shared: Run) -> Parting:
    now = utc_now()
    thread = Thread(
        id=new_id(), created_at=now, reason=ForkReason.LEAVE, parent_id=shared.thread_id
    )
    run = Run(
        id=new_id(),
        thread_id=thread.id,
        workflow_id=shared.workflow_id,
        created_at=now,
        pool=shared.pool,
        status=shared.status_of_next,
        position=shared.position,
        variants=execution.variants,
        workflow_variant=execution.workflow_variant,
        spent_ms=shared.spent_ms,
        attempt=shared.attempt,
        limits=shared.limits,
        timeline_id=thread.id,
        request=shared.request,
        limited_by=shared.limited_by,
    )
    return Parting(thread=thread, executions=[execution.id], run=run, keeps_writes=False)


def _end(run: Run) -> None:
    """Nobody wants it any more."""
    if run.is_unclaimed:
        run.cancel(utc_now())
    else:
        run.request = RunRequest(kind=RequestKind.STOP).to_json()
