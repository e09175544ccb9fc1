"""The history of an object, as its event stream shows it."""

from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.views import EventView
from wtb_async.domain.event_position import RUN_BEGINS, RUN_ENDS
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

    async def run_under_way(self, execution_id: UUID, sequence: int) -> int | None:
        """The number of the event that began the run which had not ended at `sequence`, if any."""
        query = (
            select(outbox.c.sequence, outbox.c.type)
            .where(outbox.c.aggregate_id == execution_id, outbox.c.sequence <= sequence)
            .where(outbox.c.type.in_({RUN_BEGINS, *RUN_ENDS}))
            .order_by(outbox.c.sequence.desc())
            .limit(1)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return row.sequence if row is not None and row.type == RUN_BEGINS else None


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
