"""Moves batch tests on when what they wait for has happened."""

from collections.abc import Collection
from uuid import UUID

import structlog

from wtb_async.application.batches.continue_executions import continue_executions
from wtb_async.application.batches.recording import record_batch_change
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.command import Origin
from wtb_async.domain.errors import TransientError

log = structlog.get_logger(__name__)

_ACTOR = "relay"


async def conclude_batches(batch_ids: Collection[UUID], uow: UnitOfWork) -> int:
    """End or pause the batches of which nothing runs any more; answers of how many there is news.

    One in which too many executions failed is given up. Executions that a runner paused when their
    batch had just been resumed go on. The caller commits.
    """
    found = await uow.batch_tests.conclude(batch_ids)
    for batch_id in found.failing:
        await _give_up(batch_id, uow)
    for batch_id in found.left_behind:
        await _take_along(batch_id, uow)
    return len({*found.moved, *found.failing, *found.left_behind})


async def conclude_soon(batch_id: UUID, *, uow_factory: UnitOfWorkFactory, nudges: Nudges) -> None:
    """Conclude a batch after a command that stands; its event has the same done a moment later."""
    try:
        async with uow_factory() as uow:
            await conclude_batches([batch_id], uow)
            await uow.commit()
    except TransientError as error:
        log.warning("batch_not_concluded", batch_id=str(batch_id), error=repr(error))
    nudges.new_events()


async def _give_up(batch_id: UUID, uow: UnitOfWork) -> None:
    batch = await uow.batch_tests.lock(batch_id)
    if not batch.fails_with(await uow.batch_tests.failures(batch_id)):
        return
    event = batch.give_up()
    await uow.batch_executions.stop(batch_id, Origin(actor=_ACTOR))
    record_batch_change(uow, batch, event, batch.status, actor=_ACTOR)


async def _take_along(batch_id: UUID, uow: UnitOfWork) -> None:
    batch = await uow.batch_tests.lock(batch_id)
    if batch.is_going_on:
        await continue_executions(batch_id, (), Origin(actor=_ACTOR), uow)
        await uow.batch_executions.release([batch_id])
