"""An API process for one file of tests, which may be slow to, killed and started again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2
from arranging import API_KEY, accept, eventually, register
from served_api import Caller, served_api

from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.postgres.database import Database

SLOW_READER_SECONDS = 0.3


@dataclass(frozen=True)
class OwnApi:
    """Where it is, and what it says."""

    url: str
    log: Path

    async def says(self, words: str) -> None:
        """Wait until its log has these words."""

        async def said() -> bool:
            return words in self.log.read_text()

        await eventually(said)

    @asynccontextmanager
    async def called(self) -> AsyncIterator[Caller]:
        """Somebody with a valid key."""
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30.0) as http:
            yield Caller(http)


@asynccontextmanager
async def own_api(
    database_url: str, redis_url: str | None, folder: Path, port: int | None = None
) -> AsyncIterator[OwnApi]:
    """Serve a database, to readers that are given little time."""
    await asyncio.to_thread(folder.mkdir)
    serving = served_api(
        database_url,
        redis_url,
        ray_port=free_port(),
        folder=folder,
        port=port,
        WTB_API__SLOW_READER_SECONDS=str(SLOW_READER_SECONDS),
    )
    async with serving as url:
        yield OwnApi(url, folder / "api.log")


async def execution_with_a_long_history(database: Database, events: int) -> UUID:
    """Each of its events is 16 KB, so that together they exceed what networks keep for readers."""
    plan = await accept(database.unit_of_work, await register(database.unit_of_work))
    execution_id = plan.executions[0].execution_id
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)"
            " SELECT 'execution', $1, number, 'ExecutionPauseRequested',"
            " jsonb_build_object('filler', repeat('x', 16000))"
            " FROM generate_series(2, $2::int) AS number",
            (execution_id, events),
        )
    return execution_id
