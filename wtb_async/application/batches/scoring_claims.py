"""The claims of a scorer on executions, kept for as long as it works on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from wtb_async.application.batches.scoring import ScoredExecution, ScoringJob
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.domain.errors import TransientError

_EXTENSIONS = 3
"""How often claims are extended in the time that they hold by themselves."""


@dataclass(eq=False, slots=True)
class ClaimedJob:
    """An execution that nobody else scores meanwhile."""

    job: ScoringJob
    until: datetime
    """When others may take it; the claim is known by this."""


class ScoringClaims:
    """Takes executions of one batch, and gives their results back.

    Evaluators may take minutes. Claims that are not extended any more, because their scorer died,
    run out after `seconds`.
    """

    def __init__(self, batch_id: UUID, uow_factory: UnitOfWorkFactory, seconds: float) -> None:
        self._batch_id = batch_id
        self._uow_factory = uow_factory
        self._seconds = seconds
        self._extend_at = monotonic() + seconds / _EXTENSIONS

    async def take(self, limit: int) -> list[ClaimedJob]:
        """Claim up to `limit` executions."""
        async with self._uow_factory() as uow:
            jobs = await uow.scores.claim(self._batch_id, limit, self._seconds)
            await uow.commit()
        return [ClaimedJob(job, job.claimed_until) for job in jobs]

    async def record(self, results: Sequence[tuple[ScoredExecution, ClaimedJob]]) -> None:
        """Keep results; while the database is away they are held, but not beyond the claims."""
        patiently = retry(
            retry=retry_if_exception_type(TransientError),
            wait=wait_fixed(0.5),
            stop=stop_after_delay(self._seconds / 2),
            reraise=True,
        )
        if results:
            await patiently(self._record)(results)

    async def keep(self, claimed: Iterable[ClaimedJob]) -> None:
        """Extend these claims, if it is time."""
        kept = list(claimed)
        if not kept or monotonic() < self._extend_at:
            return
        self._extend_at = monotonic() + self._seconds / _EXTENSIONS
        claims = [(each.job.outcome.execution_id, each.until) for each in kept]
        async with self._uow_factory() as uow:
            until = await uow.scores.extend_claims(claims, self._seconds)
            await uow.commit()
        for each in kept:
            each.until = until

    async def _record(self, results: Sequence[tuple[ScoredExecution, ClaimedJob]]) -> None:
        async with self._uow_factory() as uow:
            await uow.scores.record([(scored, held.until) for scored, held in results])
            await uow.commit()
