"""Partitions come before their month, hold its rows, and go when their time is over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from wtb_async.application.clock import utc_now
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.infrastructure.postgres.migrations import upgrade_database
from wtb_async.infrastructure.postgres.partitions import (
    MONTHS_AHEAD,
    add_months,
    maintain_partitions,
    partition_name,
)
from wtb_async.infrastructure.postgres.tables import PARTITIONED
from wtb_async.settings import asyncpg_url

KEEP = 12
OUTBOX = "wtb_outbox"


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[Database]:
    """A database of the newest schema that has only its default partitions."""
    await asyncio.to_thread(upgrade_database, empty_database_url)
    opened = open_database(asyncpg_url(empty_database_url), pool_size=8, application_name="test")
    yield opened
    await opened.close()


async def execute(database: Database, statement: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


async def rows(database: Database, statement: str) -> list[Any]:
    async with database.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def partitions(database: Database, table: str = OUTBOX) -> dict[object, object]:
    """The partitions of a table, each with its identity."""
    found = await rows(
        database,
        "SELECT inhrelid::regclass::text, inhrelid FROM pg_inherits "  # noqa: S608 - our own table
        f"WHERE inhparent = '{table}'::regclass",
    )
    return dict(found)


def month(offset: int) -> date:
    return add_months(utc_now().date(), offset)


def expected(table: str, *offsets: int) -> set[str]:
    return {f"{table}_default", *(partition_name(table, month(each)) for each in offsets)}


def insert(at: date, number: int) -> str:
    """An event of noon of that day, which can be told by its number."""
    noon = datetime(at.year, at.month, at.day, 12, tzinfo=UTC)
    return (
        "INSERT INTO wtb_outbox "  # noqa: S608 - our own values
        "(aggregate, aggregate_id, sequence, type, created_at) VALUES "
        f"('execution', gen_random_uuid(), {number}, 'Tested', '{noon}')"
    )


async def places(database: Database) -> dict[object, object]:
    """In which partition each event lies."""
    found = await rows(database, "SELECT sequence, tableoid::regclass::text FROM wtb_outbox")
    return dict(found)


@pytest.mark.parametrize("table", PARTITIONED)
async def test_this_month_and_the_coming_ones_get_their_partitions(
    database: Database, table: str
) -> None:
    assert set(await partitions(database, table)) == expected(table)
    await maintain_partitions(database.engine, KEEP)
    assert set(await partitions(database, table)) == expected(table, *range(MONTHS_AHEAD + 1))


async def test_a_second_time_changes_nothing(database: Database) -> None:
    await maintain_partitions(database.engine, KEEP)
    first = [await partitions(database, table) for table in PARTITIONED]
    await maintain_partitions(database.engine, KEEP)
    assert [await partitions(database, table) for table in PARTITIONED] == first


async def test_many_at_once_are_harmless(database: Database) -> None:
    await execute(database, insert(month(0), 1))
    await asyncio.gather(*(maintain_partitions(database.engine, KEEP) for _ in range(4)))
    assert set(await partitions(database)) == expected(OUTBOX, *range(MONTHS_AHEAD + 1))
    assert await places(database) == {1: partition_name(OUTBOX, month(0))}


async def test_rows_that_came_too_early_move_to_their_month(database: Database) -> None:
    for number, offset in enumerate((0, 1, 2, 3, -1)):
        await execute(database, insert(month(offset), number))
    before = await rows(database, "SELECT * FROM wtb_outbox ORDER BY id")
    await maintain_partitions(database.engine, KEEP)
    assert await rows(database, "SELECT * FROM wtb_outbox ORDER BY id") == before
    assert await places(database) == {
        0: partition_name(OUTBOX, month(0)),
        1: partition_name(OUTBOX, month(1)),
        2: partition_name(OUTBOX, month(2)),
        3: f"{OUTBOX}_default",
        4: f"{OUTBOX}_default",
    }


async def test_a_row_that_is_being_written_moves_as_well(database: Database) -> None:
    async with database.engine.connect() as writer:
        await writer.execute(text(insert(month(0), 1)))
        maintaining = asyncio.create_task(maintain_partitions(database.engine, KEEP))
        blocked = "SELECT pid FROM pg_locks WHERE NOT granted"
        while not await rows(database, blocked):  # noqa: ASYNC110 - Postgres sends no such event
            await asyncio.sleep(0.01)
        await writer.commit()
        await maintaining
    assert await places(database) == {1: partition_name(OUTBOX, month(0))}


async def test_new_rows_go_to_their_month(database: Database) -> None:
    await maintain_partitions(database.engine, KEEP)
    await execute(database, insert(month(1), 1))
    assert await places(database) == {1: partition_name(OUTBOX, month(1))}


async def test_a_new_partition_has_the_indexes_of_its_table(database: Database) -> None:
    await maintain_partitions(database.engine, KEEP)
    for table in PARTITIONED:
        counted = "SELECT count(*) FROM pg_indexes WHERE tablename = '{}'"
        own = await rows(database, counted.format(partition_name(table, month(0))))
        assert own == await rows(database, counted.format(table))


async def make_old(database: Database, offset: int) -> str:
    name = partition_name(OUTBOX, month(offset))
    start, end = month(offset), month(offset + 1)
    await execute(
        database,
        f"CREATE TABLE {name} PARTITION OF {OUTBOX} "
        f"FOR VALUES FROM ('{start} 00:00+00') TO ('{end} 00:00+00')",
    )
    return name


async def test_full_months_are_kept_as_long_as_asked_and_not_longer(database: Database) -> None:
    for number, offset in enumerate((-3, -2, -1)):
        await make_old(database, offset)
        await execute(database, insert(month(offset), number))
    await maintain_partitions(database.engine, 2)
    assert set(await partitions(database)) == expected(OUTBOX, -2, -1, 0, 1, 2)
    assert set(await places(database)) == {1, 2}


async def test_the_default_partition_is_never_dropped(database: Database) -> None:
    await execute(database, insert(month(-100), 1))
    await maintain_partitions(database.engine, 1)
    assert await places(database) == {1: f"{OUTBOX}_default"}


async def test_months_are_those_of_utc_wherever_the_server_stands(
    database: Database, empty_database_url: str
) -> None:
    name = empty_database_url.rpartition("/")[2]
    await execute(database, f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
    await database.engine.dispose()
    await maintain_partitions(database.engine, KEEP)
    await execute(database, f"ALTER DATABASE {name} SET timezone = 'UTC'")
    await database.engine.dispose()
    bounds = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = '{}'"
    found = await rows(database, bounds.format(partition_name(OUTBOX, month(0))))
    assert found == [(f"FOR VALUES FROM ('{month(0)} 00:00:00+00') TO ('{month(1)} 00:00:00+00')",)]


async def test_a_prepared_database_has_its_partitions(database_url: str) -> None:
    opened = open_database(asyncpg_url(database_url), pool_size=1, application_name="test")
    for table in PARTITIONED:
        assert set(await partitions(opened, table)) == expected(table, *range(MONTHS_AHEAD + 1))
    await opened.close()
