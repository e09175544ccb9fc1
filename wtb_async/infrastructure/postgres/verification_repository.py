"""Follows the outbox some time behind the relay, and verifies what its events promised."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.maintenance.repositories import Verified
from wtb_async.domain.audit import OutboxAction
from wtb_async.infrastructure.postgres.integrity.verification import VERIFICATIONS
from wtb_async.infrastructure.postgres.integrity_tables import (
    event_verification as place,
)
from wtb_async.infrastructure.postgres.integrity_tables import (
    failed_verifications as failures,
)

_NEXT = text(
    """
    SELECT type, array_agg(id) AS ids FROM (
        SELECT id, type FROM wtb_outbox
        WHERE id > :after
          AND created_at < clock_timestamp() - make_interval(secs => :settle_seconds)
        ORDER BY id LIMIT :limit
    ) AS event GROUP BY type
    """
)
_THESE = text(
    """
    SELECT type, array_agg(id) AS ids FROM wtb_outbox
    WHERE id = ANY (CAST(:ids AS bigint[])) GROUP BY type
    """
)

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
    SELECT 'integrity', '{OutboxAction.VERIFICATION_FAILED.value}', aggregate, aggregate_id
    FROM found
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
        given = {"after": after, "limit": limit, "settle_seconds": settle_seconds}
        by_type = (await self._session.execute(_NEXT, given)).all()
        if not by_type:
            return Verified(0, 0)
        found = await self._failures({row.type: row.ids for row in by_type})
        await self._record(found)
        newest = max(max(row.ids) for row in by_type)
        await self._session.execute(update(place).values(verified_to=newest))
        return Verified(sum(len(row.ids) for row in by_type), len(found))

    async def verify_again(self, event_ids: Collection[int]) -> int:
        """Forget failures of events whose promises are kept by now; answers how many."""
        rows = await self._session.execute(_THESE, {"ids": list(event_ids)})
        broken = {id_ for id_, _ in await self._failures({row.type: row.ids for row in rows})}
        mended = list(set(event_ids) - broken)
        forget = delete(failures).where(failures.c.event_id == func.any(mended))
        gone = await self._session.execute(forget.returning(failures.c.event_id))
        return len(gone.all())

    async def _failures(self, ids: Mapping[str, Sequence[int]]) -> Sequence[Failure]:
        """What events, by type, have promised that is not so."""
        found: list[Failure] = []
        for statement, types in VERIFICATIONS.items():
            of_these = [event_id for type_ in types for event_id in ids.get(type_, ())]
            if of_these:
                rows = await self._session.execute(statement, {"ids": of_these})
                found += [(row.event_id, row.problem) for row in rows]
        return found

    async def _record(self, found: Sequence[Failure]) -> None:
        if found:
            ids, problems = zip(*found, strict=True)
            await self._session.execute(_RECORD, {"ids": list(ids), "problems": list(problems)})
