"""Makes sure that somebody executes the pending runs of a pool."""

import math
from dataclasses import dataclass
from typing import Protocol

from wtb_async.application.ports import UnitOfWorkFactory


class RunnerPool(Protocol):
    """The processes that host runners."""

    async def ensure(self, pool: str, count: int) -> None:
        """Have at least `count` runners of the pool working, and wake all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSize:
    """How many runners a pool has: one for every `slots` pending runs, within bounds."""

    slots: int
    minimum: int
    maximum: int

    def for_backlog(self, pending: int) -> int:
        """The number of runners that this backlog asks for."""
        return max(self.minimum, min(self.maximum, math.ceil(pending / self.slots)))


async def dispatch_runs(
    pool: str, size: PoolSize, *, uow_factory: UnitOfWorkFactory, runners: RunnerPool
) -> None:
    """Size the pool by its backlog and wake its runners; they claim for themselves."""
    async with uow_factory() as uow:
        pending = await uow.runs.pending_count(pool)
    await runners.ensure(pool, size.for_backlog(pending))
