"""A database that is ready for the system."""

import asyncio

from wtb_async.infrastructure.postgres.database import open_database
from wtb_async.infrastructure.postgres.migrations import upgrade_database
from wtb_async.infrastructure.postgres.partitions import maintain_partitions
from wtb_async.settings import DEFAULT_RETENTION_MONTHS, asyncpg_url


def prepare_database(database_url: str) -> None:
    """Migrate to the newest schema and make the partitions of the coming months.

    Must not be called on an event loop: Alembic starts one of its own.

    Args:
        database_url: `postgresql://user:password@host/database`.
    """
    upgrade_database(database_url)
    asyncio.run(_prepare_partitions(database_url))


async def _prepare_partitions(database_url: str) -> None:
    database = open_database(asyncpg_url(database_url), pool_size=1, application_name="wtb-migrate")
    try:
        await maintain_partitions(database.engine, DEFAULT_RETENTION_MONTHS)
    finally:
        await database.close()
