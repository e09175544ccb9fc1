"""Runs migrations on an async engine, one process at a time."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from wtb_async.infrastructure.postgres import file_tables, integrity_tables
from wtb_async.infrastructure.postgres.migrations import MIGRATION_LOCK, is_ours

DESCRIBED = (file_tables, integrity_tables)
"""Where tables are described; all of them join one metadata."""


def run_migrations(connection: Connection) -> None:
    """Upgrade under an advisory lock: of many processes that boot at once, one migrates."""
    context.configure(
        connection=connection,
        target_metadata=DESCRIBED[0].metadata,
        include_name=is_ours,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        context.run_migrations()


async def run_async_migrations(url: str) -> None:
    """Open a connection of our own and migrate through it."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run_migrations)
    await engine.dispose()


def configured_url() -> str:
    """The database's address: from the caller, or from WTB_DATABASE_URL on the command line."""
    given = context.config.get_main_option("sqlalchemy.url")
    url = given or os.environ.get("WTB_DATABASE_URL")
    if not url:
        raise SystemExit("set WTB_DATABASE_URL, or run `wtb db upgrade` beside a running stack")
    return "postgresql+asyncpg://" + url.split("://", 1)[1]


connection = context.config.attributes.get("connection")
if connection is not None:
    run_migrations(connection)
else:
    asyncio.run(run_async_migrations(configured_url()))
