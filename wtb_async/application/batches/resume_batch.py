"""Lets a whole batch test go on."""

from wtb_async.application.batches.batch_command import BatchCommand
from wtb_async.application.batches.conclude_batches import conclude_soon
from wtb_async.application.batches.continue_executions import continue_executions
from wtb_async.application.batches.recording import record_batch_change
from wtb_async.application.clock import utc_now
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.run import DEFAULT_POOL


async def resume_batch(
    request: BatchCommand, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Go on with what the batch's pause held up, or with all that was cancelled when it ended.

    Executions that somebody paused one by one, or that wait at a breakpoint or for an answer, stay
    so; those that have failed too.

    Raises:
        NotFound: no such batch test.
        InvalidTransition: it is neither paused nor being paused, cancelled or failed.
    """
    async with uow_factory() as uow:
        batch = await uow.batch_tests.lock(request.batch_id)
        status_before = batch.status
        statuses = (ExecutionStatus.CANCELLED,) if batch.is_partly_finished else ()
        failures = await uow.batch_tests.failures(batch.id)
        event = batch.resume(failures=failures, at=utc_now())
        command = request.of_kind(CommandKind.RESUME)
        await uow.batch_executions.let_go(batch.id)
        await continue_executions(batch.id, statuses, command.origin, uow)
        await uow.batch_executions.release([batch.id])
        record_batch_change(uow, batch, event, status_before, actor=request.caller, command=command)
        await uow.commit()
    nudges.new_runs(DEFAULT_POOL)
    await conclude_soon(request.batch_id, uow_factory=uow_factory, nudges=nudges)
