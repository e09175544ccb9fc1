"""Finds runners that have gone silent."""

from wtb_async.application.ports import UnitOfWork, UnitOfWorkFactory
from wtb_async.application.runs.recording import record_loss
from wtb_async.application.runs.take_over_runs import take_over_runs

_ACTOR = "reaper"


async def reap_lost_runners(uow_factory: UnitOfWorkFactory, *, lease_seconds: float) -> int:
    """Declare silent runners lost and take their runs over; answers how many runs moved.

    Two reapers at once are harmless: each runner is lost once, and locked runs are passed over.
    """
    async with uow_factory() as uow:
        moved = await take_over_from_silent(_ACTOR, uow, lease_seconds=lease_seconds)
        await uow.commit()
    return moved


async def take_over_from_silent(actor: str, uow: UnitOfWork, *, lease_seconds: float) -> int:
    """The same in the name of `actor`, who commits."""
    for runner in await uow.runners.lose_silent(lease_seconds):
        record_loss(runner, actor, uow)
    return await take_over_runs(actor, uow)
