"""WriteQueue: arrival order, bounded in operations and in bytes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.checkpoints.write_queue import (
    Operation,
    QueueLimits,
    Rows,
    WriteQueue,
)


def rows(name: str, size: int = 0) -> Rows:
    return Rows(blobs=[(name, b"x" * size)])


def names(batch: list[Operation]) -> list[str]:
    return [operation.rows.blobs[0][0] for operation in batch]


async def call(queue: WriteQueue, name: str, size: int = 0) -> None:
    """What a call of the saver does: room first, rows second."""
    await queue.room()
    operation = queue.put(rows(name, size))
    queue.flush()
    await operation.done


async def begun(queue: WriteQueue, *called: str, size: int = 0) -> list[asyncio.Task[None]]:
    """Calls that have gone as far as they can."""
    tasks = [asyncio.create_task(call(queue, name, size), name=name) for name in called]
    await settled()
    return tasks


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def finish(queue: WriteQueue, batch: list[Operation]) -> list[str]:
    for operation in batch:
        operation.succeed()
    queue.release(batch)
    return names(batch)


@pytest.fixture
async def small() -> AsyncIterator[WriteQueue]:
    """Room for two operations of four bytes in all."""
    queue = WriteQueue(QueueLimits(batch=2, batch_bytes=3, pending=2, pending_bytes=4))
    yield queue
    queue.close()


async def test_calls_beyond_the_bound_wait_and_get_room_in_their_order(small: WriteQueue) -> None:
    calls = await begun(small, *"abcdef")
    order: list[str] = []
    while len(order) < len(calls):
        order += finish(small, await small.take())
        await settled()
    assert order == list("abcdef")
    await asyncio.gather(*calls)


async def test_a_call_that_comes_when_room_gets_free_stands_behind_those_that_wait(
    small: WriteQueue,
) -> None:
    calls = await begun(small, *"abc")
    finish(small, await small.take())
    await small.room()
    small.put(rows("d"))
    assert names(await small.take()) == ["c", "d"]
    calls[2].cancel()


async def test_what_is_being_flushed_still_takes_room(small: WriteQueue) -> None:
    calls = await begun(small, *"abc")
    batch = await small.take()
    await settled()
    assert names(batch) == ["a", "b"]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(small.take(), 0.01)
    finish(small, batch)
    assert names(await small.take()) == ["c"]
    calls[2].cancel()


async def test_large_values_leave_no_room_for_others(small: WriteQueue) -> None:
    [large, other] = await begun(small, "large", "other", size=100)
    batch = await small.take()
    assert names(batch) == ["large"]
    await settled()
    finish(small, batch)
    assert names(await small.take()) == ["other"]
    await large
    other.cancel()


async def test_a_flush_ends_before_it_gets_too_large(small: WriteQueue) -> None:
    calls = await begun(small, "a", "b", size=2)
    assert names(await small.take()) == ["a"]
    assert names(await small.take()) == ["b"]
    for each in calls:
        each.cancel()


@pytest.mark.parametrize("cancelled", [2, 3, 4])
async def test_a_cancelled_call_that_waits_for_room_leaves_nothing_behind(
    small: WriteQueue, cancelled: int
) -> None:
    calls = await begun(small, *"abcde")
    calls[cancelled].cancel()
    await settled()
    left = [task.get_name() for task in calls if not task.cancelled()]
    order: list[str] = []
    while len(order) < len(left):
        order += finish(small, await small.take())
        await settled()
    assert order == left
    assert len(order) == 4
    [later] = await begun(small, "later")
    assert names(await small.take()) == ["later"]
    later.cancel()


async def test_a_call_cancelled_just_when_room_gets_free_hands_it_on(small: WriteQueue) -> None:
    calls = await begun(small, *"abcd")
    finish(small, await small.take())
    calls[2].cancel()
    await settled()
    assert names(await small.take()) == ["d"]
    calls[3].cancel()


async def test_closing_fails_every_call_that_waits_and_every_later_one(small: WriteQueue) -> None:
    calls = await begun(small, *"abcd")
    small.close()
    calls += await begun(small, "late")
    for each in calls:
        with pytest.raises(TransientError, match="closed before the commit"):
            await each
