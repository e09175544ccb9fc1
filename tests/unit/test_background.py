"""Work beside a block, which it must not outlive and may not fail unseen."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from wtb_async.infrastructure.in_process.background import Background, BackgroundBroken


async def wait_for_ever(ended: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


async def fail() -> None:
    raise ZeroDivisionError


async def work(ended: asyncio.Event, block: Coroutine[Any, Any, None]) -> None:
    """A block with work beside it, which has begun before the block goes on."""
    async with Background() as background:
        background.start(wait_for_ever(ended))
        await asyncio.sleep(0)
        await block


async def test_work_ends_with_its_block() -> None:
    ended = asyncio.Event()
    await work(ended, asyncio.sleep(0))
    assert ended.is_set()


async def test_work_that_fails_ends_its_block() -> None:
    ended = asyncio.Event()

    async def broken_block() -> None:
        async with Background() as background:
            background.start(fail())
            await wait_for_ever(ended)

    with pytest.raises(BackgroundBroken, match="ZeroDivisionError") as broken:
        await broken_block()
    assert isinstance(broken.value.__cause__, ZeroDivisionError)
    assert ended.is_set()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_an_error_of_the_block_stays_as_it_is() -> None:
    ended = asyncio.Event()
    with pytest.raises(ZeroDivisionError):
        await work(ended, fail())
    assert ended.is_set()


async def test_who_is_cancelled_is_cancelled() -> None:
    ended = asyncio.Event()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(work(ended, wait_for_ever(asyncio.Event())), 0.01)
    assert ended.is_set()
