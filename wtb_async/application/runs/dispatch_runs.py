"""Makes sure that somebody executes the pending runs of a pool."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from wtb_async.application.ports import UnitOfWorkFactory


class RunnerPool(Protocol):
    """The processes that host runners."""

    async def ensure(self, pool: str, names: Sequence[str]) -> None:
        """Have the runners of these names working for the pool, and wake them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSize:
    """How many runners a pool has: one for every `slots` pending runs, within bounds."""

    slots: int
    minimum: int
    maximum: int

    def for_backlog(self, pending: int) -> int:
        """The number of runners that this backlog asks for."""
        return max(self.minimum, min(self.maximum, math.ceil(pending / self.slots)))

    def names(self, pool: str, pending: int, silent: Collection[str]) -> list[str]:
        """The runners to have for this backlog.

        Those that are silent are woken too, but do not count: their processes may be gone, or stand
        still for long. So the pool may exceed its maximum, by twice as many at most.
        """
        missing = self.for_backlog(pending)
        names: list[str] = []
        for number in range(missing + 2 * self.maximum):
            if missing == 0:
                break
            names.append(name := f"runner-{pool}-{number}")
            missing -= name not in silent
        return names


async def dispatch_runs(
    pool: str, size: PoolSize, *, uow_factory: UnitOfWorkFactory, runners: RunnerPool
) -> None:
    """Size the pool by its backlog and wake its runners; they claim for themselves."""
    async with uow_factory() as uow:
        pending = await uow.runs.pending_count(pool)
        silent = await uow.runners.silent(pool) if pending else ()
    if names := size.names(pool, pending, silent):
        await runners.ensure(pool, names)
