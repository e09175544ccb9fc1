"""Settles runs in bulk without making a single one wait."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from wtb_async.application.batches.release_runs import release_runs
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.application.runs.claims import RunOutcome
from wtb_async.application.runs.settle_runs import settle_runs
from wtb_async.domain.errors import TransientError, WtbError
from wtb_async.domain.execution import RunError
from wtb_async.domain.run import RunStatus

log = structlog.get_logger(__name__)


class Settler:
    """Collects outcomes; while one transaction is under way the next one fills up."""

    def __init__(
        self,
        runner_id: UUID,
        uow: UnitOfWorkFactory,
        nudges: Nudges,
        *,
        pool: str,
        retry_seconds: float = 0.5,
    ) -> None:
        self._runner_id = runner_id
        self._pool = pool
        self._uow = uow
        self._nudges = nudges
        self._retry_seconds = retry_seconds
        self._outcomes: list[RunOutcome] = []
        self._under_way: list[RunOutcome] = []
        self._wanted = asyncio.Event()

    def put(self, outcome: RunOutcome) -> None:
        """Settle this outcome soon."""
        self._outcomes.append(outcome)
        self._wanted.set()

    def pending(self) -> set[UUID]:
        """The runs that have ended and may not be settled yet."""
        return {outcome.run_id for outcome in (*self._under_way, *self._outcomes)}

    async def settle_forever(self) -> None:
        """Settle whatever comes, until cancelled; what is under way is kept for `settle_rest`."""
        while True:
            await self._wanted.wait()
            self._under_way = self._take()
            try:
                await self._settle_with_retry(self._under_way)
            except asyncio.CancelledError:
                self._outcomes = self._under_way + self._outcomes
                raise
            finally:
                self._under_way = []

    async def settle_rest(self) -> None:
        """Try once to settle what is left; runs that stay unsettled are taken over by others."""
        if not (batch := self._take()):
            return
        try:
            await self._settle(batch)
        except WtbError as error:
            log.warning("unsettled_runs_left", count=len(batch), error=repr(error))

    def _take(self) -> list[RunOutcome]:
        batch, self._outcomes = self._outcomes, []
        self._wanted.clear()
        return batch

    async def _settle_with_retry(self, batch: Sequence[RunOutcome]) -> None:
        """Settle a batch; an outcome that the database refuses must not hold up its neighbours."""
        try:
            await self._settle_when_possible(batch)
        except WtbError as error:
            if len(batch) == 1:
                return await self._settle_when_possible([_refused(batch[0], error)])
            for outcome in batch:
                await self._settle_with_retry([outcome])

    async def _settle_when_possible(self, batch: Sequence[RunOutcome]) -> None:
        while True:
            try:
                return await self._settle(batch)
            except TransientError as error:
                log.warning("settle_failed", count=len(batch), error=repr(error))
                await asyncio.sleep(self._retry_seconds)

    async def _settle(self, batch: Sequence[RunOutcome]) -> None:
        of_groups = any(outcome.of_group for outcome in batch)
        async with self._uow() as uow:
            if of_groups:
                settled = await settle_runs(self._runner_id, batch, uow)
                await uow.commit()
            else:
                await uow.commit_each_statement()
                settled = await uow.runs.settle(self._runner_id, batch)
        if len(settled.kept) < len(batch):
            log.warning("outcomes_fenced_off", count=len(batch) - len(settled.kept))
        if of_groups:
            self._nudges.new_runs(self._pool)
        self._nudges.new_events()
        await release_runs(settled.limited, uow_factory=self._uow, nudges=self._nudges)


def _refused(outcome: RunOutcome, error: WtbError) -> RunOutcome:
    """A failure in place of what cannot be stored, without anything that might be the reason."""
    log.error("outcome_refused", run_id=str(outcome.run_id), error=repr(error))
    return RunOutcome(
        run_id=outcome.run_id,
        status=RunStatus.FAILED,
        duration_ms=outcome.duration_ms,
        error=RunError("NotStorable", f"the outcome could not be stored: {error}"),
        checkpoint_id=outcome.checkpoint_id,
        of_group=outcome.of_group,
    )
