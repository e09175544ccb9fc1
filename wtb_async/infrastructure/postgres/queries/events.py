"""The history of an object, as its event stream shows it."""

from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.views import EventView
from wtb_async.domain.events import Aggregate
from wtb_async.infrastructure.postgres.tables import outbox


class EventQueries:
    """Reads `wtb_outbox` as a log: events stay there after they were relayed."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def since(self, aggregate_id: UUID, sequence: int, *, limit: int) -> list[EventView]:
        """Events of one object after `sequence`, in order."""
        query = (
            select(outbox)
            .where(outbox.c.aggregate_id == aggregate_id, outbox.c.sequence > sequence)
            .order_by(outbox.c.sequence)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_view(row) for row in rows]


def _view(row: RowMapping) -> EventView:
    aggregate, aggregate_id = row["aggregate"], row["aggregate_id"]
    return EventView(
        id=row["sequence"],
        type=row["type"],
        at=row["created_at"],
        execution_id=aggregate_id if aggregate is Aggregate.EXECUTION else None,
        batch_test_id=aggregate_id if aggregate is Aggregate.BATCH_TEST else None,
        data=row["data"],
    )
