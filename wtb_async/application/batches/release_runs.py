"""Lets runs begin that waited for a place in their batch tests."""

from collections.abc import Collection
from uuid import UUID

import structlog

from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.errors import TransientError

log = structlog.get_logger(__name__)


async def release_runs(
    batch_ids: Collection[UUID], *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Make as many waiting runs of each batch claimable as its limit has places for.

    Wherever a run of a limited batch ends or is added, this comes after it in a transaction of its
    own, so that the batch's lock is always the first one taken. If it is lost on the way, the
    beat's look at all batches makes up for it.
    """
    if not batch_ids:
        return
    try:
        async with uow_factory() as uow:
            pools = await uow.batch_executions.release(batch_ids)
            await uow.commit()
    except TransientError as error:
        log.warning("runs_not_released", batches=len(batch_ids), error=repr(error))
    else:
        for pool in pools:
            nudges.new_runs(pool)


async def release_all_runs(*, uow_factory: UnitOfWorkFactory, nudges: Nudges) -> None:
    """Do so for every batch of which runs wait."""
    async with uow_factory() as uow:
        batch_ids = await uow.batch_executions.with_waiting_runs()
    await release_runs(batch_ids, uow_factory=uow_factory, nudges=nudges)
