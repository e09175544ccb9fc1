"""Takes an execution back to an earlier checkpoint."""

from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.executions.places import Place, find_checkpoint
from wtb_async.application.executions.recording import record_command
from wtb_async.application.executions.repositories import Fork, Timelines
from wtb_async.application.executions.views import CheckpointView
from wtb_async.application.files.keep_files import keep_files
from wtb_async.application.ids import new_id
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind, check_accepts
from wtb_async.domain.run import ForkReason, Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackExecution:
    """A request to stand at an earlier moment again."""

    execution_id: UUID
    caller: str
    to: Place
    restores_files: bool = True
    """Its files go back with its state; otherwise they stay as they are now."""


async def roll_back_execution(
    request: RollBackExecution,
    *,
    uow_factory: UnitOfWorkFactory,
    timelines: Timelines,
    nudges: Nudges,
) -> None:
    """Pause the execution at that moment, on a fork; the old timeline stays readable.

    The whole superstep that follows is run again when the execution is resumed, questions that it
    had asked are asked again. State and files move in one transaction.

    Raises:
        NotFound: no such execution.
        InvalidInput: no such root checkpoint on its timelines, or a node that has not run.
        InvalidTransition: it is pending or runs; pause or stop it first.
    """
    async with uow_factory() as uow:
        execution, _ = await uow.executions.get(request.execution_id)
    check_accepts(execution.status, CommandKind.ROLLBACK)
    # Looked for outside the transaction: callers that each hold a connection and wait for another
    # would wait for each other. A checkpoint that was found stays.
    target = await find_checkpoint(execution, request.to, timelines)
    async with uow_factory() as uow:
        execution, _ = await uow.executions.lock(request.execution_id)
        check_accepts(execution.status, CommandKind.ROLLBACK)
        thread = fork_at(target, ForkReason.ROLLBACK)
        await uow.threads.fork([Fork(thread=thread, keeps_writes=False)])
        if not request.restores_files:
            await keep_files(uow, execution.thread_id, thread.id, target.checkpoint_id)
        files = await uow.files.commit_of_head(thread.id)
        status_before = execution.status
        event = execution.roll_back(
            thread.id, target.checkpoint_id, target.next_nodes, files.id if files else None
        )
        if execution.batch_test_id is not None:
            await uow.executions.forget_scores(execution.id)
        payload = request.to.to_json() | {"restore_files": request.restores_files}
        command = new_command(CommandKind.ROLLBACK, execution.id, request.caller, payload)
        record_command(uow, command, execution, event, status_before)
        await uow.commit()
    nudges.new_events()


def fork_at(checkpoint: CheckpointView, reason: ForkReason) -> Thread:
    """A thread that goes on from this checkpoint."""
    return Thread(
        id=new_id(),
        created_at=utc_now(),
        reason=reason,
        parent_id=checkpoint.thread_id,
        fork_checkpoint_id=checkpoint.checkpoint_id,
    )
