"""GroupCommitSaver: LangGraph's contract, the stock saver's rows, and commits of many calls."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from arranging import select
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.types import Command
from savers import ask, compile_fan_out, group_commit_saver, on, put, stock_saver

from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.postgres.database import Database


@pytest.fixture
async def saver(database_url: str) -> AsyncIterator[GroupCommitSaver]:
    async with group_commit_saver(database_url) as made:
        yield made


async def test_it_passes_the_conformance_suite_of_langgraph(saver: GroupCommitSaver) -> None:
    @checkpointer_test(name="group commit")
    async def checkpointer() -> AsyncGenerator[BaseCheckpointSaver[str], None]:
        yield saver

    report = await validate(checkpointer)
    failures = {name: result.failures for name, result in report.results.items()}
    assert report.passed_all_base(), failures
    assert report.passed_all(), failures


@pytest.mark.parametrize("question", ["plain", "fail"])
async def test_it_writes_the_rows_that_the_stock_saver_writes(
    saver: GroupCommitSaver, database_url: str, database: Database, question: str
) -> None:
    async with stock_saver(database_url) as stock:
        for name, each in (("ours", saver), ("stock", stock)):
            try:
                await ask(each, name, {"question": question})
            except ValueError:
                assert question == "fail"
    for query in (CHECKPOINTS, BLOBS, WRITES):
        ours = await select(database, query, thread="ours")
        theirs = await select(database, query, thread="stock")
        assert [tuple(row.values()) for row in ours] == [tuple(row.values()) for row in theirs]
        assert ours


# Checkpoint ids, task ids and the random half of versions differ from run to run.
CHECKPOINTS = """
SELECT checkpoint_ns, parent_checkpoint_id IS NULL AS is_root, type,
       checkpoint - 'id' - 'ts' - 'channel_versions' - 'versions_seen' AS checkpoint,
       metadata - 'thread_id' AS metadata
FROM checkpoints WHERE thread_id = :thread ORDER BY checkpoint_id
"""
BLOBS = """
SELECT checkpoint_ns, channel, split_part(version, '.', 1) AS version, type, blob
FROM checkpoint_blobs WHERE thread_id = :thread ORDER BY channel, 3
"""
WRITES = """
SELECT c.metadata->>'step' AS step, w.task_path, w.idx, w.channel, w.type, w.blob
FROM checkpoint_writes w JOIN checkpoints c USING (thread_id, checkpoint_ns, checkpoint_id)
WHERE thread_id = :thread ORDER BY c.checkpoint_id, w.task_path, w.idx
"""


async def states(saver: BaseCheckpointSaver[str], thread: str) -> list[Any]:
    graph = compile_fan_out(saver)
    return [
        (s.values, s.next, s.config, s.parent_config, s.metadata, s.created_at, s.tasks)
        async for s in graph.aget_state_history(on(thread))
    ]


async def test_threads_of_either_read_the_same_through_both(
    saver: GroupCommitSaver, database_url: str
) -> None:
    async with stock_saver(database_url) as stock:
        await ask(saver, "ours", {"question": "plain"})
        await ask(stock, "theirs", {"question": "ask"})
        for thread in ("ours", "theirs"):
            history = await states(saver, thread)
            assert len(history) >= 3
            assert history == await states(stock, thread)


async def test_what_one_began_the_other_finishes(
    saver: GroupCommitSaver, database_url: str
) -> None:
    async with stock_saver(database_url) as stock:
        for name, (begin, finish) in {"a": (saver, stock), "b": (stock, saver)}.items():
            await ask(begin, name, {"question": "ask"})
            result = await ask(finish, name, Command(resume="this one"))
            assert result["answer"] == "this one"
            assert len(result["found"]) == 2


async def test_every_call_returns_after_its_commit(
    saver: GroupCommitSaver, database: Database
) -> None:
    async def put_and_look(thread: str) -> None:
        checkpoint_id = await put(saver, thread, text="inline", many=["blob"])
        where = {"thread": thread, "checkpoint": checkpoint_id}
        assert len(await select(database, OF_CHECKPOINT, **where)) == 1
        config = on(thread)
        config["configurable"]["checkpoint_id"] = checkpoint_id
        await saver.aput_writes(config, [("text", "written")], "task")
        assert len(await select(database, OF_WRITES, **where)) == 1
        await saver.aput_writes(config, [("__error__", "broken")], "other task")
        assert len(await select(database, OF_WRITES, **where)) == 2

    await asyncio.gather(*(put_and_look(f"thread {number}") for number in range(40)))


OF_CHECKPOINT = """
SELECT 1 FROM checkpoints JOIN checkpoint_blobs USING (thread_id, checkpoint_ns)
WHERE thread_id = :thread AND checkpoint_id = :checkpoint
"""
OF_WRITES = """
SELECT 1 FROM checkpoint_writes WHERE thread_id = :thread AND checkpoint_id = :checkpoint
"""


async def test_a_row_that_postgres_refuses_fails_its_own_call_only(
    saver: GroupCommitSaver, database: Database
) -> None:
    poisoned = {3, 17}
    results = await asyncio.gather(
        *(
            put(saver, f"thread {number}" + ("\x00" if number in poisoned else ""), text="fine")
            for number in range(30)
        ),
        return_exceptions=True,
    )
    failed = {number for number, result in enumerate(results) if isinstance(result, Exception)}
    assert failed == poisoned
    [row] = await select(database, "SELECT count(*) FROM checkpoints")
    assert row["count"] == 28


async def test_a_cancelled_call_does_not_disturb_its_batch(
    saver: GroupCommitSaver,
) -> None:
    calls = [asyncio.create_task(put(saver, f"thread {number}", n=1)) for number in range(10)]
    await asyncio.sleep(0)
    calls[4].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, str) for result in results] == [n != 4 for n in range(10)]
    assert await put(saver, "thread 4", n=2)


async def test_a_promised_new_thread_is_not_looked_up_and_a_head_is_remembered(
    saver: GroupCommitSaver,
) -> None:
    saver.expect_new("thread")
    assert await saver.aget_tuple(on("thread")) is None
    checkpoint_id = await put(saver, "thread", n=1)
    found = await saver.aget_tuple(on("thread"))
    assert found is not None
    assert found.checkpoint["id"] == checkpoint_id
    assert saver.forget("thread") == checkpoint_id
    assert saver.forget("thread") is None


def test_a_read_needs_none_of_the_threads_that_nodes_may_block(database_url: str) -> None:
    asyncio.run(_read_while_every_thread_is_taken(database_url))


async def _read_while_every_thread_is_taken(url: str) -> None:
    taken = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    async with group_commit_saver(url) as saver:
        saved = await put(saver, "thread", number=1)
        blocked = asyncio.create_task(asyncio.to_thread(taken.wait))
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(10):
                found = await saver.aget_tuple(on("thread"))
        finally:
            taken.set()
            await blocked
    assert found is not None
    assert found.checkpoint["id"] == saved
