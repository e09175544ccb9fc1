"""Monthly partitions of the append-heavy tables."""

from datetime import date

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wtb_async.application.clock import utc_now
from wtb_async.infrastructure.postgres.tables import PARTITIONED

log = structlog.get_logger(__name__)

MONTHS_AHEAD = 2


async def maintain_partitions(engine: AsyncEngine, keep_months: int) -> None:
    """Make the partitions of this month and the coming ones, and drop those past their time.

    Args:
        engine: where to.
        keep_months: full months of history that stay.
    """
    today = utc_now().date()
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('wtb_partitions'))"))
        for table in PARTITIONED:
            existing = await _partitions(connection, table)
            for offset in range(MONTHS_AHEAD + 1):
                await _make(connection, table, add_months(today, offset), existing)
            oldest = partition_name(table, add_months(today, -keep_months))
            for name in sorted(existing):
                if not name.endswith("_default") and name < oldest:
                    await connection.execute(text(f"DROP TABLE {name}"))
                    log.info("partition_dropped", partition=name)


def add_months(day: date, months: int) -> date:
    """The first day of the month that lies this many months away."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def partition_name(table: str, month: date) -> str:
    """The partition that holds a month; names sort by time."""
    return f"{table}_y{month.year:04}m{month.month:02}"


async def _partitions(connection: AsyncConnection, table: str) -> set[str]:
    rows = await connection.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:t)"),
        {"t": table},
    )
    return set(rows.scalars())


async def _make(connection: AsyncConnection, table: str, month: date, existing: set[str]) -> None:
    name = partition_name(table, month)
    if name in existing:
        return
    # Months are those of UTC, whatever time zone the session has.
    start, end = (f"'{day} 00:00+00'" for day in (month, add_months(month, 1)))
    # Rows that came while no partition fitted wait in the default one; they move over. The lock
    # waits for those that are being written there, which the move could not see.
    await connection.execute(text(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE"))
    await connection.execute(
        text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    )
    move = f"""
        WITH moved AS (
            DELETE FROM {table}_default
            WHERE created_at >= {start} AND created_at < {end} RETURNING *
        )
        INSERT INTO {name} SELECT * FROM moved
    """  # noqa: S608 - our own names and dates
    await connection.execute(text(move))
    await connection.execute(
        text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})")
    )
