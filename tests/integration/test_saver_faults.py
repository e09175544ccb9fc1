"""GroupCommitSaver while its database fails, and when it is closed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from arranging import PATIENCE_SECONDS, eventually, select
from cuttable_line import CuttableLine, cuttable_line
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg_pool import AsyncConnectionPool
from savers import ask, compile_fan_out, group_commit_saver, on, put

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.postgres.database import Database


@pytest.fixture
async def saver(database_url: str) -> AsyncIterator[GroupCommitSaver]:
    async with group_commit_saver(database_url) as made:
        yield made


async def test_terminated_backends_lose_nothing(
    saver: GroupCommitSaver, database: Database
) -> None:
    await put(saver, "the writers are connected", n=1)
    done = asyncio.Event()

    async def terminate_again_and_again() -> int:
        terminated = 0
        while not done.is_set():
            await asyncio.sleep(0.05)
            terminated += len(await select(database, TERMINATE_WRITERS))
        return terminated

    faults = asyncio.create_task(terminate_again_and_again())
    results = await asyncio.gather(
        *(ask(saver, f"thread {number}", {"question": str(number)}) for number in range(60))
    )
    done.set()
    assert await faults > 0
    for number, result in enumerate(results):
        assert result["answer"] == f"right of {number} and left of {number}"
        kept = await compile_fan_out(saver).aget_state(on(f"thread {number}"))
        assert kept.values == result
        assert kept.next == ()


TERMINATE_WRITERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'writer'
"""


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[CuttableLine]:
    async with cuttable_line(database_url) as made:
        yield made


async def test_calls_wait_for_a_database_that_comes_back(
    line: CuttableLine, database: Database
) -> None:
    async with group_commit_saver(line.url) as saver:
        await put(saver, "before", n=1)
        await line.cut()
        calls = [asyncio.create_task(put(saver, f"meanwhile {n}", n=1)) for n in range(5)]
        await asyncio.sleep(0.3)
        assert not any(call.done() for call in calls)
        await line.mend()
        await asyncio.gather(*calls)
    [row] = await select(database, "SELECT count(*) FROM checkpoints")
    assert row["count"] == 6


async def test_calls_fail_when_the_database_stays_away_and_later_ones_work(
    line: CuttableLine,
) -> None:
    async with group_commit_saver(line.url, give_up_seconds=0.3) as saver:
        await put(saver, "before", n=1)
        await line.cut()
        with pytest.raises(TransientError):
            await put(saver, "meanwhile", n=1)
        await line.mend()
        await put(saver, "after", n=1)


class CountingSerializer(JsonPlusSerializer):
    """Counts the values that were made ready for a write."""

    def __init__(self) -> None:
        super().__init__()
        self.dumped = 0

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:  # noqa: ANN401 - of the stock
        self.dumped += 1
        return super().dumps_typed(obj)


@pytest.mark.parametrize("bound", [{"pending": 4}, {"pending_bytes": 4000}])
async def test_while_the_database_is_away_only_so_many_calls_hold_their_values(
    line: CuttableLine, database: Database, bound: dict[str, int]
) -> None:
    async with group_commit_saver(line.url, **bound) as saver:
        await put(saver, "before", n=1)
        serializer = CountingSerializer()
        saver.serde = serializer
        await line.cut()
        calls = [
            asyncio.create_task(put(saver, f"meanwhile {n}", many=[b"x" * 1000])) for n in range(40)
        ]
        await asyncio.sleep(0.1)
        assert serializer.dumped == 4
        calls[2].cancel()
        calls[20].cancel()
        await line.mend()
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [n for n, result in enumerate(results) if not isinstance(result, str)] == [2, 20]
    kept = await select(database, "SELECT thread_id FROM checkpoints")
    assert "meanwhile 20" not in {row["thread_id"] for row in kept}
    assert len(kept) in {39, 40}


async def test_closing_while_idle_is_clean(database_url: str, database: Database) -> None:
    async with group_commit_saver(database_url) as saver:
        await put(saver, "thread", n=1)
    await eventually(lambda: no_writer(database))


async def no_writer(database: Database) -> bool:
    """Backends end a moment after their clients."""
    query = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'writer'"
    return not await select(database, query)


async def test_closing_fails_the_calls_that_still_wait(line: CuttableLine) -> None:
    async with group_commit_saver(line.url, batch=1) as saver:
        await put(saver, "before", n=1)
        await line.cut()
        calls = [asyncio.create_task(put(saver, f"meanwhile {n}", n=1)) for n in range(5)]
        await asyncio.sleep(0.1)
    for call in calls:
        with pytest.raises(TransientError, match="closed before the commit"):
            await asyncio.wait_for(call, PATIENCE_SECONDS)


async def test_a_reader_that_is_cancelled_while_it_returns_its_connection_loses_none(
    saver: GroupCommitSaver,
) -> None:
    pool = saver.conn
    assert isinstance(pool, AsyncConnectionPool)
    reads, may_end = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        async with saver._cursor():
            reads.set()
            await may_end.wait()

    reader = asyncio.create_task(read())
    await reads.wait()
    async with pool._lock:  # Somebody else is being served: the reader has to wait.
        may_end.set()
        await asyncio.sleep(0.01)
        reader.cancel()
        await asyncio.wait([reader], timeout=0.01)

    async def is_back() -> bool:
        stats = pool.get_stats()
        return stats["pool_available"] == stats["pool_size"]

    await eventually(is_back)
    assert reader.cancelled()
