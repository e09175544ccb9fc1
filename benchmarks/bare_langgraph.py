"""LangGraph alone: the four-node graph in one process, many runs at a time on one saver."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

sys.path.insert(0, str(Path(__file__).parent / "four_nodes"))
from four_nodes import State, build

CONCURRENCY = 32


async def run_many(saver: BaseCheckpointSaver[str], runs: int, name: str) -> float:
    """Runs per second with `durability="sync"`, each run on a new thread."""
    graph = build().compile(checkpointer=saver)
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(number: int) -> None:
        config: RunnableConfig = {"configurable": {"thread_id": f"{name}-{number}"}}
        given: State = {"q": f"q{number}", "log": []}
        async with slots:
            await graph.ainvoke(given, config, durability="sync")

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(runs)))
    return runs / (time.perf_counter() - began)


@asynccontextmanager
async def shared_stock_saver(database_url: str) -> AsyncIterator[AsyncPostgresSaver]:
    """LangGraph's own saver on a pool, as its documentation shows; the tables are made."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        database_url, min_size=4, max_size=8, kwargs=options, open=False
    )
    async with pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield saver
