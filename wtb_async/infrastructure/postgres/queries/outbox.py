"""The outbox as those see it who look after it."""

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.outbox.views import DeadLetterView, OutboxCounts, OutboxStatsView
from wtb_async.application.views import Page
from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.postgres.queries.paging import newest_first, page_of
from wtb_async.infrastructure.postgres.tables import outbox

# Each part has an index of its own: what is open and what is dead is little, and the rows that were
# sent within the last minute lie together. Only a time that stands still can be looked up in one.
_STATS = text(
    """
    SELECT type, sum(open)::bigint AS open, sum(claimed)::bigint AS claimed,
           sum(sent)::bigint AS sent_per_minute, sum(dead)::bigint AS dead_letters,
           (extract(epoch FROM statement_timestamp() - min(oldest)) * 1000)::float8 AS age_ms
    FROM (
        SELECT type, count(*) AS open,
               count(*) FILTER (WHERE available_at > statement_timestamp()) AS claimed,
               0 AS sent, 0 AS dead, min(created_at) AS oldest
        FROM wtb_outbox WHERE sent_at IS NULL AND dead_at IS NULL GROUP BY type
        UNION ALL
        SELECT type, 0, 0, count(*), 0, NULL FROM wtb_outbox
        WHERE sent_at > statement_timestamp() - interval '1 minute' GROUP BY type
        UNION ALL
        SELECT type, 0, 0, 0, count(*), NULL FROM wtb_outbox
        WHERE dead_at IS NOT NULL GROUP BY type
    ) AS counted
    GROUP BY type ORDER BY type
    """
)
_COUNTS = ("open", "claimed", "sent_per_minute", "dead_letters")


class OutboxQueries:
    """Reads `wtb_outbox`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def stats(self) -> OutboxStatsView:
        """How much waits, how much leaves, and what was given up."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_STATS)).mappings().all()
        ages = [row["age_ms"] for row in rows if row["age_ms"] is not None]
        return OutboxStatsView(
            **{name: sum(row[name] for row in rows) for name in _COUNTS},
            oldest_open_ms=max(ages, default=None),
            by_type={
                row["type"]: OutboxCounts(**{name: row[name] for name in _COUNTS}) for row in rows
            },
        )

    async def dead_letters(self, *, limit: int, cursor: str | None) -> Page[DeadLetterView]:
        """Events that were given up, newest first."""
        query = select(outbox).where(outbox.c.dead_at.is_not(None))
        query = newest_first(query, outbox.c.id, limit=limit, cursor=cursor)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return page_of(rows, _dead_letter, limit=limit)

    async def failed(self, event_id: int) -> DeadLetterView:
        """An event whose delivery has failed, as it stands. Raises NotFound."""
        query = select(outbox).where(outbox.c.id == event_id, outbox.c.last_error.is_not(None))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound("dead letter", event_id)
        return _dead_letter(row)


def _dead_letter(row: RowMapping) -> DeadLetterView:
    values = {name: row[name] for name in _SAME}
    return DeadLetterView(**values, target_type=row["aggregate"], target_id=row["aggregate_id"])


_SAME = (
    *("id", "type", "sequence", "data", "attempts", "last_error"),
    *("created_at", "sent_at", "dead_at"),
)
