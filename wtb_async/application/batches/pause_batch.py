"""Pauses a whole batch test."""

from wtb_async.application.batches.batch_command import BatchCommand
from wtb_async.application.batches.conclude_batches import conclude_soon
from wtb_async.application.batches.recording import record_batch_change
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.run import DEFAULT_POOL


async def pause_batch(
    request: BatchCommand, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Let nothing more of the batch begin, and have what runs paused.

    It is paused when nothing of it runs. What somebody has asked of a single execution stands.

    Raises:
        NotFound: no such batch test.
        InvalidTransition: it has ended, is paused or is being stopped.
    """
    async with uow_factory() as uow:
        batch = await uow.batch_tests.lock(request.batch_id)
        event = batch.ask_to_pause()
        command = request.of_kind(CommandKind.PAUSE)
        await uow.batch_executions.pause(batch.id, command.origin)
        record_batch_change(uow, batch, event, batch.status, actor=request.caller, command=command)
        await uow.commit()
    nudges.new_requests(DEFAULT_POOL)
    await conclude_soon(request.batch_id, uow_factory=uow_factory, nudges=nudges)
