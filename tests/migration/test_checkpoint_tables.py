"""LangGraph's tables are as its own saver makes them, whichever of the two comes first."""

import asyncio

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from schema_catalogue import query, schema_of

from wtb_async.infrastructure.postgres.migrations import upgrade_database

PREFIX = "checkpoint"


async def run_stock_setup(url: str) -> None:
    async with AsyncPostgresSaver.from_conn_string(url) as saver:
        await saver.setup()


async def test_our_migration_makes_what_the_stock_saver_makes(
    empty_database_url: str, database_url: str
) -> None:
    await run_stock_setup(empty_database_url)
    theirs = schema_of(empty_database_url, PREFIX)
    assert len({row[0] for row in theirs["columns"]}) == 4
    assert schema_of(database_url, PREFIX) == theirs


async def test_our_migration_counts_the_steps_that_the_stock_saver_counts(
    empty_database_url: str, database_url: str
) -> None:
    await run_stock_setup(empty_database_url)
    steps = "SELECT v FROM checkpoint_migrations ORDER BY v"
    assert query(database_url, steps) == query(empty_database_url, steps)
    assert query(database_url, steps) == [
        (step,) for step in range(len(AsyncPostgresSaver.MIGRATIONS))
    ]


async def test_the_stock_saver_finds_nothing_to_do_in_our_database(database_url: str) -> None:
    identities = """
        SELECT oid::text, relname, relfilenode::text FROM pg_class
        WHERE relname LIKE 'checkpoint%'
        UNION ALL SELECT xmin::text, 'migration', v::text FROM checkpoint_migrations ORDER BY 1
    """
    before = schema_of(database_url), query(database_url, identities)
    await run_stock_setup(database_url)
    assert (schema_of(database_url), query(database_url, identities)) == before


async def test_many_stock_savers_that_set_up_at_once_do_no_harm(database_url: str) -> None:
    before = schema_of(database_url)
    await asyncio.gather(*(run_stock_setup(database_url) for _ in range(4)))
    assert schema_of(database_url) == before


def test_our_tables_do_not_depend_on_the_stock_saver(empty_database_url: str) -> None:
    upgrade_database(empty_database_url)
    assert query(empty_database_url, "SELECT count(*) FROM checkpoints") == [(0,)]
