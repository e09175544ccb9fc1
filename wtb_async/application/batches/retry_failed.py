"""Tries the failed executions of a batch test again."""

from wtb_async.application.batches.batch_command import BatchCommand
from wtb_async.application.batches.conclude_batches import conclude_soon
from wtb_async.application.batches.continue_executions import continue_executions
from wtb_async.application.batches.recording import record_batch_change
from wtb_async.application.clock import utc_now
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.run import DEFAULT_POOL


async def retry_failed(
    request: BatchCommand, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Go on with every failed execution from its last checkpoint, with all attempts.

    A batch that ended before all of it had run goes on with what was cancelled as well. What was
    said of the failed outcomes is forgotten.

    Raises:
        NotFound: no such batch test.
        InvalidTransition: it has not started, is paused or is being stopped.
    """
    async with uow_factory() as uow:
        batch = await uow.batch_tests.lock(request.batch_id)
        status_before = batch.status
        also = (ExecutionStatus.CANCELLED,) if batch.is_partly_finished else ()
        event = batch.retry_failed(at=utc_now())
        command = request.of_kind(CommandKind.RETRY_FAILED)
        statuses = (ExecutionStatus.FAILED, *also)
        await continue_executions(batch.id, statuses, command.origin, uow)
        await uow.batch_executions.release([batch.id])
        record_batch_change(uow, batch, event, status_before, actor=request.caller, command=command)
        await uow.commit()
    nudges.new_runs(DEFAULT_POOL)
    await conclude_soon(request.batch_id, uow_factory=uow_factory, nudges=nudges)
