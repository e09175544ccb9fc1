"""The outbox: claimed in order per aggregate by any number of relays."""

from collections.abc import Collection

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.domain.audit import OutboxAction
from wtb_async.domain.errors import NotFound
from wtb_async.domain.events import OutboxEvent
from wtb_async.infrastructure.postgres.tables import outbox

# A claim hides rows by moving `available_at` ahead instead of holding a lock, because no
# transaction may stay open while the broker is written to. An event is taken only when every
# earlier open event of its aggregate is taken by the same claim: whatever another relay holds,
# or waits to retry, blocks its successors until it is sent or dead. The successors of what waits
# are left out before the limit counts, or they could fill the chunk and hold up everybody else.
# The sets are compared whole: per row, a planner without statistics takes the wrong index.
_CLAIM = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT aggregate_id FROM wtb_outbox
        WHERE sent_at IS NULL AND dead_at IS NULL AND available_at > clock_timestamp()
    ), locked AS MATERIALIZED (
        SELECT id, created_at, aggregate_id FROM wtb_outbox
        WHERE sent_at IS NULL AND dead_at IS NULL AND available_at <= clock_timestamp()
          AND aggregate_id NOT IN (SELECT aggregate_id FROM waiting)
        ORDER BY id LIMIT :limit
        FOR UPDATE OF wtb_outbox SKIP LOCKED
    ), passed_over AS MATERIALIZED (
        SELECT aggregate_id, min(id) AS id FROM wtb_outbox
        WHERE aggregate_id = ANY (ARRAY(SELECT aggregate_id FROM locked))
          AND sent_at IS NULL AND dead_at IS NULL AND id NOT IN (SELECT id FROM locked)
        GROUP BY aggregate_id
    ), taken AS (
        SELECT locked.id, locked.created_at
        FROM locked LEFT JOIN passed_over USING (aggregate_id)
        WHERE passed_over.id IS NULL OR locked.id < passed_over.id
    )
    UPDATE wtb_outbox AS event
    SET available_at = clock_timestamp() + make_interval(secs => :claim_seconds),
        attempts = event.attempts + 1
    FROM taken WHERE event.id = taken.id AND event.created_at = taken.created_at
    RETURNING event.*
    """
)

# What another relay has delivered meanwhile is no dead letter.
_BURY = text(
    f"""
    WITH buried AS (
        UPDATE wtb_outbox SET dead_at = clock_timestamp(), last_error = :error
        WHERE id = ANY (CAST(:ids AS bigint[])) AND sent_at IS NULL AND dead_at IS NULL
        RETURNING aggregate, aggregate_id
    )
    INSERT INTO wtb_audit_log (actor, action, aggregate, aggregate_id)
    SELECT 'relay', '{OutboxAction.BURIED.value}', aggregate, aggregate_id FROM buried
    """  # noqa: S608 - our own name
)


class PostgresOutboxRepository:
    """Statements on `wtb_outbox`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, limit: int, claim_seconds: float) -> list[OutboxEvent]:
        """Take the oldest open events, in order per aggregate, hidden from others for a while."""
        rows = await self._session.execute(
            _CLAIM.columns(*outbox.c), {"limit": limit, "claim_seconds": claim_seconds}
        )
        events = [OutboxEvent(**row) for row in rows.mappings()]
        return sorted(events, key=lambda event: event.id)

    async def mark_sent(self, ids: Collection[int]) -> None:
        """These events have been delivered."""
        await self._session.execute(
            update(outbox)
            .where(outbox.c.id == func.any(list(ids)), outbox.c.sent_at.is_(None))
            .values(sent_at=func.clock_timestamp())
        )

    async def mark_failed(
        self, ids: Collection[int], error: str, *, retry_in_seconds: float | None
    ) -> None:
        """Delivery failed: try again later, or (None) move to the dead letters."""
        if retry_in_seconds is None:
            await self._session.execute(_BURY, {"ids": list(ids), "error": error})
            return
        statement = update(outbox).where(outbox.c.id == func.any(list(ids)))
        later = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, retry_in_seconds)
        await self._session.execute(statement.values(available_at=later, last_error=error))

    async def lock_failed(self, event_id: int) -> OutboxEvent:
        """An event whose delivery has failed, for a change. Raises NotFound."""
        query = (
            select(outbox)
            .where(outbox.c.id == event_id, outbox.c.last_error.is_not(None))
            .with_for_update()
        )
        row = (await self._session.execute(query)).mappings().first()
        if row is None:
            raise NotFound("dead letter", event_id)
        return OutboxEvent(**row)

    async def dead_letter_before(self, event: OutboxEvent) -> int | None:
        """The oldest dead letter of the event's object that comes before it."""
        before: int | None = await self._session.scalar(
            select(func.min(outbox.c.id)).where(
                outbox.c.dead_at.is_not(None),
                outbox.c.aggregate_id == event.aggregate_id,
                outbox.c.id < event.id,
            )
        )
        return before

    async def replay(self, event_id: int) -> None:
        """Put a dead letter back in its place among the open events, with all attempts."""
        await self._session.execute(
            update(outbox)
            .where(outbox.c.id == event_id)
            .values(dead_at=None, attempts=0, available_at=func.clock_timestamp())
        )
