"""A state that is read from the rows is the state that LangGraph tells of the same checkpoint."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from arranging import select
from forking import INPUT, fork
from hypothesis import HealthCheck, given, settings
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.pregel._task_status import read_task_statuses
from langgraph.types import StateSnapshot
from random_graphs import compile_plan, plans, run_to_end
from reading_state import accepted, moved_to, reader_of
from savers import on, stock_saver

from wtb_async.application.executions.views import StateView
from wtb_async.application.ids import new_id
from wtb_async.domain.errors import NotFound
from wtb_async.domain.run import ForkReason
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import asyncpg_url


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans)
def test_every_state_is_told_as_langgraph_tells_it(database_url: str, plan: list[str]) -> None:
    asyncio.run(_compare(database_url, plan))


async def _compare(url: str, plan: Sequence[str]) -> None:
    async with AsyncExitStack() as stack:
        database = open_database(asyncpg_url(url), pool_size=2, application_name="test")
        stack.push_async_callback(database.close)
        saver = await stack.enter_async_context(stock_saver(url))
        execution, graph = await accepted(database), compile_plan(plan, saver)
        thread = str(execution.thread_id)
        await run_to_end(graph, INPUT, thread)
        reader = reader_of(database, url, graph)
        async for told in graph.aget_state_history(on(thread)):
            checkpoint = UUID(told.config["configurable"]["checkpoint_id"])
            view = await reader.read(execution, checkpoint)
            assert as_told(view) == await langgraphs_own(saver, told)
            assert (view.checkpoint_id, view.not_shown) == (str(checkpoint), {})


def as_told(view: StateView) -> tuple[Any, ...]:
    assert view.created_at is not None
    questions = sorted(view.interrupts, key=str)
    return view.values, sorted(view.next_nodes), view.created_at.isoformat(), questions


async def langgraphs_own(saver: AsyncPostgresSaver, told: StateSnapshot) -> tuple[Any, ...]:
    """What LangGraph says, but for channels that nothing was written to yet, and open questions."""
    saved = await saver.aget_tuple(told.config)
    assert saved is not None
    written = saved.checkpoint["channel_versions"]
    statuses = read_task_statuses(saved.pending_writes or ())
    questions = [
        {"id": item.id, "value": item.value, "node": task.name, "response_schema": None}
        for task in told.tasks
        if task.id in statuses
        for item in statuses[task.id].pending_interrupts
    ]
    values = {name: value for name, value in told.values.items() if name in written}
    return values, sorted(told.next), told.created_at, sorted(questions, key=str)


async def test_an_execution_without_a_checkpoint_has_no_values(
    database: Database, database_url: str
) -> None:
    execution = await accepted(database)
    view = await reader_of(database, database_url, compile_plan(["plain"], None)).read(execution)
    assert (view.execution_id, view.thread_id) == (execution.id, execution.thread_id)
    assert (view.checkpoint_id, view.values, view.next_nodes) == (None, {}, [])


async def test_without_a_checkpoint_the_newest_of_the_present_thread_is_read(
    database: Database, database_url: str
) -> None:
    execution = await accepted(database)
    async with stock_saver(database_url) as saver:
        graph = compile_plan(["plain", "ask"], saver)
        first = str(execution.thread_id)
        await run_to_end(graph, INPUT, first)
        ended, asked, *_ = [state async for state in graph.aget_state_history(on(first))]
        point = asked.config["configurable"]["checkpoint_id"]
        [second] = await fork(database, execution.thread_id, point, keeps_writes=False)
        reader, rolled_back = reader_of(database, database_url, graph), moved_to(execution, second)
        before = await reader.read(rolled_back)
        await graph.ainvoke(None, on(str(second)), durability="sync")
        asks_again = await reader.read(rolled_back)
        old = await reader.read(rolled_back, UUID(ended.config["configurable"]["checkpoint_id"]))
    assert (before.thread_id, before.checkpoint_id, before.interrupts) == (second, point, [])
    assert (asks_again.checkpoint_id, asks_again.values) == (point, asked.values)
    assert [question["node"] for question in asks_again.interrupts] == ["ask1"]
    assert (old.thread_id, old.values) == (execution.thread_id, ended.values)


async def test_a_checkpoint_of_another_execution_is_not_found(
    database: Database, database_url: str
) -> None:
    execution = await accepted(database)
    async with stock_saver(database_url) as saver:
        graph = compile_plan(["plain"], saver)
        await run_to_end(graph, INPUT, str(execution.thread_id))
        [branch] = await fork(database, execution.thread_id, reason=ForkReason.BRANCH)
        await run_to_end(graph, INPUT, str(branch))
        newest = await graph.aget_state(on(str(branch)))
    reader = reader_of(database, database_url, graph)
    for unknown in (UUID(newest.config["configurable"]["checkpoint_id"]), new_id()):
        with pytest.raises(NotFound, match="no checkpoint of this execution"):
            await reader.read(execution, unknown)


async def test_a_checkpoint_of_a_subgraph_is_refused_with_the_reason(
    database: Database, database_url: str
) -> None:
    execution = await accepted(database)
    async with stock_saver(database_url) as saver:
        graph = compile_plan(["nested"], saver)
        await run_to_end(graph, INPUT, str(execution.thread_id))
    [inner, *_] = await select(
        database, "SELECT checkpoint_id FROM checkpoints WHERE checkpoint_ns <> ''"
    )
    reader = reader_of(database, database_url, graph)
    with pytest.raises(NotFound, match="only these can be read, and this one is a subgraph's"):
        await reader.read(execution, UUID(inner["checkpoint_id"]))
