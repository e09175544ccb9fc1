"""On random graphs, our saver and the stock saver cannot be told apart, nor who wrote what."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

from forking import INPUT
from hypothesis import HealthCheck, example, given, settings
from langgraph.checkpoint.base import BaseCheckpointSaver
from random_graphs import KINDS, compile_plan, plans, run_in_turns
from savers import group_commit_saver, on, stock_saver
from thread_rows import Renaming, rows_of_thread

from wtb_async.application.ids import new_id
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import asyncpg_url

Saver = BaseCheckpointSaver[str]


async def history(saver: Saver, plan: Sequence[str], thread: str) -> list[object]:
    """What LangGraph shows of a thread, newest first."""
    graph = compile_plan(plan, saver)
    return [
        (s.values, s.next, s.config, s.parent_config, s.metadata, s.tasks, s.interrupts)
        async for s in graph.aget_state_history(on(thread))
    ]


async def written_by(savers: Sequence[Saver], plan: Sequence[str]) -> tuple[str, dict[str, object]]:
    """A new thread that these savers wrote in turns, and the values at its end."""
    thread = str(new_id())
    graphs = [compile_plan(plan, saver) for saver in savers]
    return thread, await run_in_turns(graphs, INPUT, thread)


async def _compare(database: Database, ours: Saver, stock: Saver, plan: Sequence[str]) -> None:
    expected_thread, expected = await written_by([stock], plan)
    expected_rows = await rows_of_thread(database, expected_thread)
    expected_history = await history(stock, plan, expected_thread)
    assert len(expected_history) > len(plan)
    assert await history(ours, plan, expected_thread) == expected_history
    for savers in ([ours], [ours, stock], [stock, ours]):
        thread, values = await written_by(savers, plan)
        assert values == expected
        assert await rows_of_thread(database, thread) == expected_rows
        seen = await history(ours, plan, thread)
        assert seen == await history(stock, plan, thread)
        assert Renaming()(seen) == Renaming()(expected_history)


async def _open_and_compare(url: str, plan: Sequence[str]) -> None:
    async with AsyncExitStack() as stack:
        database = open_database(asyncpg_url(url), pool_size=2, application_name="test")
        stack.push_async_callback(database.close)
        ours = await stack.enter_async_context(group_commit_saver(url))
        stock = await stack.enter_async_context(stock_saver(url))
        await _compare(database, ours, stock, plan)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans)
@example(plan=list(KINDS))
def test_threads_written_by_either_or_in_turns_have_the_same_rows_values_and_history(
    database_url: str, plan: list[str]
) -> None:
    asyncio.run(_open_and_compare(database_url, plan))
