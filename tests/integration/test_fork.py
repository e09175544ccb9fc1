"""Forks: copies that go on as the original would have, and leave it alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from arranging import select
from forking import INPUT, LAST_TIMESTAMP, an_hour_ahead, begin_thread, finished, fork
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.types import Command
from random_graphs import KINDS, compile_plan, plans, run_to_end
from savers import on, stock_saver

from wtb_async.application.ids import new_id
from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.checkpoints.clock import advance_clock
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import asyncpg_url


@pytest.fixture
async def saver(database_url: str) -> AsyncIterator[AsyncPostgresSaver]:
    async with stock_saver(database_url) as stock:
        yield stock


async def states(saver: AsyncPostgresSaver, plan: Sequence[str], thread: UUID) -> list[Any]:
    """The timeline as LangGraph shows it, without the name of the thread."""
    graph = compile_plan(plan, saver)
    return [
        (
            state.config["configurable"]["checkpoint_id"],
            state.values,
            state.next,
            state.metadata,
            state.interrupts,
            [(task.id, task.name, task.error, task.interrupts) for task in state.tasks],
        )
        async for state in graph.aget_state_history(on(str(thread)))
    ]


TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


async def rows(database: Database, thread: UUID) -> list[list[str]]:
    """Everything that is kept of a thread, without its id."""
    query = "SELECT to_jsonb(t) - 'thread_id' AS row FROM {} AS t WHERE thread_id = :thread"
    kept = [await select(database, query.format(t), thread=str(thread)) for t in TABLES]
    return [sorted(str(row["row"]) for row in table) for table in kept]


async def test_a_fork_at_the_head_holds_every_row(
    database: Database, saver: AsyncPostgresSaver
) -> None:
    source = await finished(database, saver, KINDS)
    copies = await fork(database, source, count=3)
    original = await rows(database, source)
    assert all(original)
    for copy in copies:
        assert await rows(database, copy) == original
        assert await states(saver, KINDS, copy) == await states(saver, KINDS, source)


async def test_a_fork_knows_where_it_comes_from(
    database: Database, saver: AsyncPostgresSaver
) -> None:
    source = await finished(database, saver, ["plain", "plain"])
    [head, earlier, *_] = [state[0] for state in await states(saver, ["plain"] * 2, source)]
    made = [*await fork(database, source), *await fork(database, source, earlier)]
    noted = await select(database, LINEAGE, source=source)
    assert [tuple(row.values()) for row in noted] == [
        (made[0], head, "rollback"),
        (made[1], earlier, "rollback"),
    ]


LINEAGE = """
SELECT id, fork_checkpoint_id, reason FROM wtb_threads WHERE parent_id = :source ORDER BY id
"""


async def test_a_fork_in_the_past_holds_its_ancestors_only(
    database: Database, saver: AsyncPostgresSaver
) -> None:
    plan = ["plain", "subgraph", "loop"]
    source = await finished(database, saver, plan)
    timeline = await states(saver, plan, source)
    [copy] = await fork(database, source, timeline[4][0])
    assert await states(saver, plan, copy) == timeline[4:]


async def test_a_checkpoint_that_is_not_there_is_refused_and_nothing_is_made(
    database: Database, saver: AsyncPostgresSaver
) -> None:
    source = await finished(database, saver, ["plain"])
    with pytest.raises(NotFound):
        await fork(database, source, str(new_id()))
    assert await select(database, LINEAGE, source=source) == []


async def test_a_thread_without_checkpoints_gives_an_empty_fork(database: Database) -> None:
    source = await begin_thread(database)
    [copy] = await fork(database, source)
    assert await rows(database, copy) == [[], [], []]


@pytest.mark.parametrize("keeps_writes", [True, False])
async def test_finished_siblings_run_again_only_when_their_writes_are_dropped(
    database: Database, saver: AsyncPostgresSaver, *, keeps_writes: bool
) -> None:
    source = await begin_thread(database)
    graph = compile_plan(["ask_both"], saver)
    await graph.ainvoke(INPUT, on(str(source)), durability="sync")
    head = await graph.aget_state(on(str(source)))
    [copy] = await fork(database, source, keeps_writes=keeps_writes)
    open_tasks = (await graph.aget_state(on(str(copy)))).next
    assert ("ask_both0_left" in open_tasks) is not keeps_writes
    assert head.next == ("ask_both0_right",)


async def test_the_checkpoints_of_a_subgraph_go_with_the_task_that_called_it(
    database: Database, saver: AsyncPostgresSaver
) -> None:
    source = await begin_thread(database)
    graph = compile_plan(["nested"], saver)
    await graph.ainvoke(INPUT, on(str(source)), durability="sync")
    [kept] = await fork(database, source)
    [again] = await fork(database, source, keeps_writes=False)
    found = await select(database, OF_SUBGRAPHS)
    assert {UUID(row["thread_id"]) for row in found} == {source, kept}
    for copy in (kept, again):
        result = await run_to_end(graph, None, str(copy))
        assert (await graph.aget_state(on(str(copy)))).values == result
        assert result["log"] == (await run_to_end(graph, None, str(kept)))["log"]


OF_SUBGRAPHS = "SELECT DISTINCT thread_id FROM checkpoints WHERE checkpoint_ns <> ''"


async def test_questions_keep_their_ids_and_are_answered_on_each_fork(
    database: Database, saver: AsyncPostgresSaver
) -> None:
    plan = ["ask_both", "nested"]
    source = await begin_thread(database)
    graph = compile_plan(plan, saver)
    await graph.ainvoke(INPUT, on(str(source)), durability="sync")
    [asked] = (await graph.aget_state(on(str(source)))).interrupts
    results = []
    for copy, answer in zip(await fork(database, source, count=2), ("one", "two"), strict=True):
        assert (await graph.aget_state(on(str(copy)))).interrupts == (asked,)
        await graph.ainvoke(Command(resume={asked.id: answer}), on(str(copy)), durability="sync")
        results.append((await graph.aget_state(on(str(copy)))).values["log"])
    assert [any(": two after" in line for line in log) for log in results] == [False, True]
    assert (await graph.aget_state(on(str(source)))).interrupts == (asked,)


async def test_what_goes_on_after_the_clock_was_put_back_still_becomes_the_head(
    database: Database, saver: AsyncPostgresSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head was written by a machine whose clock is an hour ahead."""
    monkeypatch.setattr(LAST_TIMESTAMP, an_hour_ahead())
    source = await begin_thread(database)
    graph = compile_plan(["plain", "nested", "plain"], saver)
    await graph.ainvoke(INPUT, on(str(source)), durability="sync")
    [copy] = await fork(database, source)
    monkeypatch.setattr(LAST_TIMESTAMP, None)
    newest = await select(database, NEWEST, thread=str(copy))
    advance_clock(newest[0]["id"])
    result = await run_to_end(graph, None, str(copy))
    assert (await graph.aget_state(on(str(copy)))).next == ()
    assert (await graph.aget_state(on(str(copy)))).values == result


NEWEST = "SELECT max(checkpoint_id) AS id FROM checkpoints WHERE thread_id = :thread"


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans, place=st.floats(0, 1, exclude_max=True), keeps_writes=st.booleans())
def test_from_any_checkpoint_a_fork_ends_as_the_uninterrupted_run_did(
    database_url: str, plan: list[str], place: float, *, keeps_writes: bool
) -> None:
    asyncio.run(_fork_and_finish(database_url, plan, place, keeps_writes=keeps_writes))


async def _fork_and_finish(
    url: str, plan: Sequence[str], place: float, *, keeps_writes: bool
) -> None:
    async with AsyncExitStack() as stack:
        database = open_database(asyncpg_url(url), pool_size=2, application_name="test")
        stack.push_async_callback(database.close)
        saver = await stack.enter_async_context(stock_saver(url))
        source = await finished(database, saver, plan)
        timeline = await states(saver, plan, source)
        before = await rows(database, source)
        chosen = timeline[int(place * len(timeline))][0]
        [copy] = await fork(database, source, chosen, keeps_writes=keeps_writes)
        result = await run_to_end(compile_plan(plan, saver), None, str(copy))
        assert result == timeline[0][1]
        assert await rows(database, source) == before
