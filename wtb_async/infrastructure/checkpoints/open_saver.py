"""Opens a saver with connections of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver, ReadPool
from wtb_async.infrastructure.checkpoints.group_writer import WriterOptions

_CONNECT_SECONDS = 10.0


@asynccontextmanager
async def open_saver(
    database_url: str,
    options: WriterOptions | None = None,
    *,
    server_settings: Mapping[str, str] | None = None,
) -> AsyncIterator[GroupCommitSaver]:
    """A saver on the database at this address, closed at the end of the block.

    Args:
        database_url: `postgresql://` address; the tables must be there.
        options: how calls are gathered into commits.
        server_settings: parameters of Postgres for the connections that write.
    """
    reads: ReadPool = AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=4,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    )
    connect = partial(
        asyncpg.connect, database_url, server_settings=server_settings, timeout=_CONNECT_SECONDS
    )
    async with reads, GroupCommitSaver(reads, connect, options or WriterOptions()) as saver:
        yield saver
