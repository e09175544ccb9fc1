"""Follows the outbox some time behind the relay, and verifies what its events promised."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.maintenance.repositories import Verified
from wtb_async.infrastructure.postgres.integrity.verification import VERIFICATIONS
from wtb_async.infrastructure.postgres.integrity_tables import (
    event_verification as place,
)
from wtb_async.infrastructure.postgres.integrity_tables import (
    failed_verifications as failures,
)
from wtb_async.infrastructure.postgres.tables import outbox

_ACTION = "VerificationFailed"

# A failure that is known already has its audit entry.
_RECORD = text(
    f"""
    WITH found AS (
        INSERT INTO wtb_failed_verifications
            (event_id, problem, aggregate, aggregate_id, event_type)
        SELECT event.id, given.problem, event.aggregate, event.aggregate_id, event.type
        FROM unnest(CAST(:ids AS bigint[]), CAST(:problems AS text[])) AS given (id, problem)
        JOIN wtb_outbox AS event ON event.id = given.id
        ON CONFLICT DO NOTHING
        RETURNING aggregate, aggregate_id
    )
    INSERT INTO wtb_audit_log (actor, action, aggregate, aggregate_id)
    SELECT 'integrity', '{_ACTION}', aggregate, aggregate_id FROM found
    """  # noqa: S608 - a constant of our own
)

Failure = tuple[int, str]
"""An event's id, and what it promised that is not so."""


class PostgresVerificationRepository:
    """Statements on the outbox and whatever its events speak of."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def verify_next(self, limit: int, settle_seconds: float) -> Verified:
        """Verify the events that follow, up to those that are younger than a few seconds."""
        after = await self._session.scalar(
            select(place.c.verified_to).with_for_update(skip_locked=True)
        )
        if after is None:
            return Verified(0, 0)
        types = await self._next_types(after, limit, settle_seconds)
        if not types:
            return Verified(0, 0)
        found = await self._failures(types)
        await self._record(found)
        await self._session.execute(update(place).values(verified_to=max(types)))
        return Verified(len(types), len(found))

    async def verify_again(self, event_ids: Collection[int]) -> int:
        """Forget failures of events whose promises are kept by now; answers how many."""
        query = select(outbox.c.id, outbox.c.type).where(outbox.c.id == func.any(list(event_ids)))
        types = {row.id: row.type for row in await self._session.execute(query)}
        broken = {event_id for event_id, _ in await self._failures(types)}
        mended = list(set(event_ids) - broken)
        forget = delete(failures).where(failures.c.event_id == func.any(mended))
        gone = await self._session.execute(forget.returning(failures.c.event_id))
        return len(gone.all())

    async def _next_types(self, after: int, limit: int, settle_seconds: float) -> Mapping[int, str]:
        settled = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, settle_seconds)
        query = (
            select(outbox.c.id, outbox.c.type)
            .where(outbox.c.id > after, outbox.c.created_at < settled)
            .order_by(outbox.c.id)
            .limit(limit)
        )
        return {row.id: row.type for row in await self._session.execute(query)}

    async def _failures(self, types: Mapping[int, str]) -> Sequence[Failure]:
        found: list[Failure] = []
        for statement, verified in VERIFICATIONS.items():
            ids = [event_id for event_id, type_ in types.items() if type_ in verified]
            if ids:
                rows = await self._session.execute(statement, {"ids": ids})
                found += [(row.event_id, row.problem) for row in rows]
        return found

    async def _record(self, found: Sequence[Failure]) -> None:
        if found:
            ids, problems = zip(*found, strict=True)
            await self._session.execute(_RECORD, {"ids": list(ids), "problems": list(problems)})
