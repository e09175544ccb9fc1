"""Finds runners that have gone silent."""

from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.application.runs.recording import record_loss
from wtb_async.application.runs.take_over_runs import take_over_runs

REAPER = "reaper"
"""Who finds silent runners, in the audit trail."""


async def reap_lost_runners(uow_factory: UnitOfWorkFactory, *, lease_seconds: float) -> int:
    """Declare silent runners lost and take their runs over; answers how many runs moved.

    Two reapers at once are harmless: each runner is lost once, and locked runs are passed over.
    """
    async with uow_factory() as uow:
        lost = await uow.runners.lose_silent(lease_seconds)
        for runner in lost:
            record_loss(runner, REAPER, uow)
        moved = await take_over_runs(REAPER, uow)
        await uow.commit()
    return moved
