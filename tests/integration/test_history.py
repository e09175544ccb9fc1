"""Timelines read without the graph say what LangGraph says with it."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from forking import INPUT, begin_thread, finished, fork
from hypothesis import HealthCheck, given, settings
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from random_graphs import compile_plan, plans, run_to_end
from savers import on, stock_saver

from wtb_async.application.executions.views import CheckpointView
from wtb_async.domain.errors import NotFound
from wtb_async.domain.run import ForkReason
from wtb_async.infrastructure.checkpoints.display_reader import DisplayReader
from wtb_async.infrastructure.checkpoints.history import CheckpointHistory
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import asyncpg_url


def history_of(database: Database) -> CheckpointHistory:
    return CheckpointHistory(database.engine, DisplayReader())


async def lineage(database: Database, thread: UUID, *, limit: int = 50) -> list[CheckpointView]:
    """All pages of a lineage."""
    history = history_of(database)
    page = await history.of_lineage(thread, limit=limit)
    items = list(page.items)
    while page.next_cursor is not None:
        page = await history.of_lineage(thread, limit=limit, cursor=page.next_cursor)
        items += page.items
    return items


async def langgraphs_own(saver: AsyncPostgresSaver, plan: Sequence[str], thread: UUID) -> list[str]:
    graph = compile_plan(plan, saver)
    told = []
    async for state in graph.aget_state_history(on(str(thread))):
        assert state.metadata is not None
        asked = [
            {"id": item.id, "value": item.value, "node": task.name, "response_schema": None}
            for task in state.tasks
            for item in task.interrupts
        ]
        parent = state.parent_config and state.parent_config["configurable"]["checkpoint_id"]
        told.append(
            str(
                (
                    state.config["configurable"]["checkpoint_id"],
                    parent,
                    state.metadata["step"],
                    state.metadata["source"],
                    sorted(state.next),
                    state.created_at,
                    sorted(asked, key=str),
                )
            )
        )
    return told


def as_told(view: CheckpointView) -> str:
    return str(
        (
            view.checkpoint_id,
            view.parent_checkpoint_id,
            view.step,
            view.source,
            sorted(view.next_nodes),
            view.created_at.isoformat(),
            sorted(view.interrupts, key=str),
        )
    )


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans)
def test_every_checkpoint_is_told_as_langgraph_tells_it(database_url: str, plan: list[str]) -> None:
    asyncio.run(_compare(database_url, plan))


async def _compare(url: str, plan: Sequence[str]) -> None:
    async with AsyncExitStack() as stack:
        database = open_database(asyncpg_url(url), pool_size=2, application_name="test")
        stack.push_async_callback(database.close)
        saver = await stack.enter_async_context(stock_saver(url))
        thread = await finished(database, saver, plan)
        page = await history_of(database).of_thread(thread, limit=200)
        assert [as_told(view) for view in page.items] == await langgraphs_own(saver, plan, thread)


async def test_a_lineage_is_one_timeline_with_its_forks(
    database: Database, database_url: str
) -> None:
    plan = ["plain", "plain", "plain"]
    async with stock_saver(database_url) as saver:
        graph = compile_plan(plan, saver)
        first = await finished(database, saver, plan)
        original = await lineage(database, first)
        forked_at = original[2].checkpoint_id
        [second] = await fork(database, first, forked_at, keeps_writes=False)
        [third] = await fork(database, first, forked_at, keeps_writes=False)
        for thread in (second, third):
            await run_to_end(graph, None, str(thread))
    for thread in (first, second, third):
        told = await lineage(database, thread, limit=2)
        assert [view.thread_id for view in told] == [third] * 2 + [second] * 2 + [first] * 5
        assert [view.parent_checkpoint_id for view in told].count(forked_at) == 3
        assert told[4:] == original


async def test_what_a_runner_wrote_after_its_run_was_taken_over_is_left_out(
    database: Database, database_url: str
) -> None:
    plan = ["plain", "plain", "plain"]
    async with stock_saver(database_url) as saver:
        lost = await finished(database, saver, plan)
        written = await lineage(database, lost)
        [successor] = await fork(
            database, lost, written[2].checkpoint_id, reason=ForkReason.TAKEOVER
        )
        await run_to_end(compile_plan(plan, saver), None, str(successor))
    told = await lineage(database, successor)
    assert [view.thread_id for view in told] == [successor] * 2 + [lost] * 3
    assert told[2:] == written[2:]
    history = history_of(database)
    with pytest.raises(NotFound):
        await history.checkpoint(successor, UUID(written[0].checkpoint_id))


async def test_a_branch_begins_a_lineage_of_its_own(database: Database, database_url: str) -> None:
    async with stock_saver(database_url) as saver:
        source = await finished(database, saver, ["plain"])
        [branch] = await fork(database, source, reason=ForkReason.BRANCH)
        assert {view.thread_id for view in await lineage(database, source)} == {source}
        assert {view.thread_id for view in await lineage(database, branch)} == {branch}


async def test_a_waiting_thread_shows_its_question_and_who_asks(
    database: Database, database_url: str
) -> None:
    thread = await begin_thread(database)
    async with stock_saver(database_url) as saver:
        graph = compile_plan(["ask"], saver)
        await graph.ainvoke(INPUT, on(str(thread)), durability="sync")
    [head, *_] = (await history_of(database).of_thread(thread, limit=1)).items
    [asked] = head.interrupts
    assert (head.next_nodes, asked["value"], asked["node"]) == (["ask0"], "ask0", "ask0")
