"""What workers do on a server, as tasks of this process: they go on after errors, and they end."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

import pytest

from wtb_async.application.ids import new_id
from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.in_process import work
from wtb_async.infrastructure.in_process.work import InProcessQueue, relay_forever


class Outbox:
    """Events that are relayed in chunks."""

    def __init__(self, *chunks: int | Exception) -> None:
        self.news = asyncio.Event()
        self.drained = asyncio.Event()
        self._chunks = [*chunks]

    async def relay(self) -> int:
        if not self._chunks:
            self.drained.set()
            return 0
        chunk = self._chunks.pop(0)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    async def wait(self) -> None:
        await self.news.wait()
        self.news.clear()


@pytest.mark.parametrize("moments", range(4))
async def test_the_relay_ends_when_news_come_at_the_same_moment(moments: int) -> None:
    outbox = Outbox()
    task = asyncio.create_task(relay_forever(outbox.relay, outbox.wait, seconds=60))
    await outbox.drained.wait()
    outbox.news.set()
    for _ in range(moments):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def test_the_relay_goes_on_after_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "RETRY_SECONDS", 0.0)
    outbox = Outbox(2, TransientError("away"), 1)
    task = asyncio.create_task(relay_forever(outbox.relay, outbox.wait, seconds=60))
    async with asyncio.timeout(5):
        await outbox.drained.wait()
    task.cancel()


async def test_events_whose_delivery_was_cut_off_are_looked_for() -> None:
    outbox = Outbox()
    task = asyncio.create_task(relay_forever(outbox.relay, outbox.wait, seconds=0.01))
    await outbox.drained.wait()
    outbox.drained.clear()
    async with asyncio.timeout(5):
        await outbox.drained.wait()
    task.cancel()


@pytest.mark.parametrize("error", [None, TransientError("away")])
async def test_a_relay_that_is_ended_finishes_what_it_has_claimed(error: Exception | None) -> None:
    claimed, delivered = asyncio.Event(), []

    async def relay() -> int:
        claimed.set()
        await asyncio.sleep(0.01)
        delivered.append("chunk")
        if error is not None:
            raise error
        return 1

    async def wait() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(relay_forever(relay, wait, seconds=60))
    await claimed.wait()
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
    assert delivered == ["chunk"]


async def test_a_batch_whose_scoring_fails_does_not_hold_up_the_others() -> None:
    scored: list[UUID] = []
    done = asyncio.Event()
    batches = [new_id() for _ in range(3)]

    async def score(batch_id: UUID) -> int:
        if batch_id == batches[0]:
            raise TransientError("away")
        scored.append(batch_id)
        if len(scored) == len(batches) - 1:
            done.set()
        return 1

    def twice(items: Iterable[UUID]) -> list[UUID]:
        return [*items, *items]

    scoring = InProcessQueue(score)
    scoring.want(twice(batches))
    task = asyncio.create_task(scoring.run())
    async with asyncio.timeout(5):
        await done.wait()
    task.cancel()
    assert scored == batches[1:]
