"""What the stream of a batch test asks of the database, and when it is told to."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any
from uuid import UUID

import orjson
import pytest
from arranging import PATIENCE_SECONDS, eventually
from redis.asyncio import Redis
from scored_batches import Batch, begin
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from api.streams import batch_events
from api.streams.batch_events import BatchEvents
from api.streams.following import follow
from api.streams.frames import Frame
from api.streams.hub import EventHub
from wtb_async.bootstrap.platform import ServerPlatform
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries
from wtb_async.infrastructure.postgres.queries.events import EventQueries
from wtb_async.infrastructure.redis.nudges import listen_for_news


@pytest.fixture
async def batch(platform: ServerPlatform) -> Batch:
    return await begin(platform, 2)


@pytest.fixture
async def hub() -> EventHub:
    return EventHub()


@pytest.fixture
async def chunks(batch: Batch, hub: EventHub) -> AsyncIterator[AsyncIterator[Sequence[Frame]]]:
    """The stream of the batch, read up to now."""
    engine = batch.platform.database.engine
    events, batches = EventQueries(engine), BatchTestQueries(engine)
    source = BatchEvents(batch.id, 0, events=events, batches=batches)
    async with aclosing(follow(source, hub, turn=asyncio.Lock(), idle_seconds=None)) as opened:
        shown = await anext(opened)
        assert [frame.type for frame in shown[:2]] == ["BatchProgress", "BatchCreated"]
        yield opened


async def next_chunk(chunks: AsyncIterator[Sequence[Frame]]) -> list[Frame]:
    return list(await asyncio.wait_for(anext(chunks), PATIENCE_SECONDS))


def counts_in(frame: Frame) -> dict[str, Any]:
    counts: dict[str, Any] = orjson.loads(frame.envelope)["data"]["counts"]
    return counts


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What is asked of the database until the end of the block."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_progress_costs_a_count_now_and_then_and_no_query_for_events(
    batch: Batch, hub: EventHub, chunks: AsyncIterator[Sequence[Frame]]
) -> None:
    began = time.monotonic()
    waiting = asyncio.create_task(next_chunk(chunks))
    with statements(batch.platform.database.engine) as asked:
        for _ in range(100):
            hub.progress_of([batch.id])
            await asyncio.sleep(0.005)
    elapsed = time.monotonic() - began
    await batch.end_all()
    hub.progress_of([batch.id])
    [progress] = await waiting
    assert counts_in(progress)["completed"] == 2
    assert not [each for each in asked if "wtb_outbox" in each]
    counted = [each for each in asked if "GROUP BY" in each]
    assert 1 <= len(counted) <= 1 + elapsed / batch_events.PROGRESS_SECONDS


async def test_the_events_of_a_batch_do_not_wait_for_its_progress(
    batch: Batch,
    hub: EventHub,
    chunks: AsyncIterator[Sequence[Frame]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_events, "PROGRESS_SECONDS", 3600.0)
    await batch.end_all()
    hub.progress_of([batch.id])
    await batch.score()
    hub.news_of([batch.id])
    progress, ended = await next_chunk(chunks)
    assert counts_in(progress)["completed"] == 2
    assert ended.type == "BatchCompleted"


class Announced:
    """Who hears what is announced."""

    def __init__(self) -> None:
        self.news: list[UUID] = []
        self.progress: list[UUID] = []

    def news_of(self, aggregate_ids: Iterable[UUID]) -> None:
        self.news += aggregate_ids

    def progress_of(self, batch_ids: Iterable[UUID]) -> None:
        self.progress += batch_ids


async def test_scores_are_announced_as_progress(batch: Batch, redis: Redis) -> None:
    announced, begun = Announced(), asyncio.Event()
    listening = listen_for_news(redis, announcements=announced, on_gap=begun.set)
    hearing = asyncio.create_task(listening)
    await begun.wait()
    await batch.end_all()
    await batch.score()

    async def heard() -> bool:
        return batch.id in announced.progress

    await eventually(heard)
    assert announced.news == []
    hearing.cancel()
    with suppress(asyncio.CancelledError):
        await hearing
