"""Live events on their way over Redis: order, bounds, fences, and what happens without Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest
from arranging import accept, claim, eventually, register, register_runner
from cuttable_line import cuttable_line
from redis.asyncio import Redis
from streaming import claim_run, drive

from wtb_async.application.ports import LiveSink
from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.event_position import EventPosition
from wtb_async.infrastructure.embedded import EmbeddedServices
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.events import EventQueries
from wtb_async.infrastructure.redis.client import open_redis
from wtb_async.infrastructure.redis.live_event_reader import LiveEventReader
from wtb_async.infrastructure.redis.live_events import RedisLiveEvents, live_events_key

Entry = tuple[str, str, dict[str, Any]]


def live_over(redis: Redis, **options: int) -> RedisLiveEvents:
    ordinary = {
        "max_value_bytes": 1000,
        "buffer_bytes": 10_000,
        "kept_events": 1000,
        "keep_seconds": 60,
    }
    return RedisLiveEvents(redis, **ordinary | options)


@pytest.fixture
async def live(redis: Redis) -> AsyncIterator[RedisLiveEvents]:
    sender = live_over(redis)
    yield sender
    await sender.close()


@pytest.fixture
async def run(database: Database) -> ClaimedRun:
    """A claimed run whose execution shows updates."""
    workflow = await register(database.unit_of_work)
    plan = await accept(database.unit_of_work, workflow, stream=("updates",))
    _, claimed = await claim_run(database, plan.executions[0].execution_id)
    return claimed


async def kept(redis: Redis, execution_id: UUID) -> list[Entry]:
    """Id, type and data of every live event of an execution."""
    entries: Any = await redis.xrange(live_events_key(execution_id))
    return [(id_, fields["type"], orjson.loads(fields["data"])) for id_, fields in entries]


def numbers(sink: LiveSink | None, *those: int) -> None:
    assert sink is not None
    for number in those:
        sink.put("CustomStreamed", orjson.dumps({"number": number}))


def numbered(version: int, *those: int, first: int = 1) -> list[Entry]:
    return [
        (f"{version}-{place}", "CustomStreamed", {"number": number})
        for place, number in enumerate(those, first)
    ]


async def test_a_run_numbers_its_events_without_gaps_in_their_order(
    redis: Redis, live: RedisLiveEvents, run: ClaimedRun
) -> None:
    assert run.execution_version == 2
    async with live.of_run(run) as sink:
        for start in range(0, 500, 50):
            numbers(sink, *range(start, start + 50))
            await asyncio.sleep(0)
    assert await kept(redis, run.execution_id) == numbered(2, *range(500))


async def test_everything_is_there_when_the_run_is_left(
    redis: Redis, live: RedisLiveEvents, run: ClaimedRun
) -> None:
    async def fail() -> None:
        async with live.of_run(run) as sink:
            numbers(sink, 2)
            raise ZeroDivisionError

    async with live.of_run(run) as sink:
        numbers(sink, 1)
    assert len(await kept(redis, run.execution_id)) == 1
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await kept(redis, run.execution_id) == numbered(2, 1, 2)


async def test_many_runs_share_a_sender_and_keep_their_own_numbers(
    redis: Redis, live: RedisLiveEvents, database: Database
) -> None:
    workflow = await register(database.unit_of_work, "many", project="letters")
    await accept(database.unit_of_work, workflow, 20, stream=("updates",))
    runner = await register_runner(database.unit_of_work, "runner-2")
    runs = await claim(database.unit_of_work, runner)

    async def show(run: ClaimedRun, count: int) -> None:
        async with live.of_run(run) as sink:
            for number in range(count):
                numbers(sink, number)
                await asyncio.sleep(0)

    await asyncio.gather(*(show(run, count) for count, run in enumerate(runs)))
    for count, run in enumerate(runs):
        assert await kept(redis, run.execution_id) == numbered(2, *range(count))


async def test_what_is_kept_is_bounded_in_number_and_time(redis: Redis, run: ClaimedRun) -> None:
    live = live_over(redis, buffer_bytes=1 << 20, kept_events=100, keep_seconds=1000)
    async with live.of_run(run) as sink:
        for number in range(2000):
            numbers(sink, number)
            await asyncio.sleep(0)
    await live.close()
    entries = await kept(redis, run.execution_id)
    assert entries[-1:] == numbered(2, 1999, first=2000)
    assert 100 <= len(entries) < 400
    assert 0 < await redis.ttl(live_events_key(run.execution_id)) <= 1000


async def test_without_stream_modes_nothing_is_in_redis(
    redis: Redis, live: RedisLiveEvents, run: ClaimedRun
) -> None:
    outcome = await drive(replace(run, stream=()), live)
    assert outcome.output is not None
    assert await redis.keys() == []


async def test_what_a_run_shows_after_its_takeover_is_refused(
    redis: Redis, live: RedisLiveEvents, run: ClaimedRun
) -> None:
    successor = replace(run, id=UUID(int=1), execution_version=4)
    others = live_over(redis)
    async with live.of_run(run) as zombie:
        numbers(zombie, 1)
        await eventually(lambda: kept(redis, run.execution_id))
        async with others.of_run(successor) as sink:
            numbers(sink, 10)
        numbers(zombie, 2, 3)
    async with others.of_run(successor) as sink:
        numbers(sink, 11)
    await others.close()
    expected = [*numbered(2, 1), *numbered(4, 10, 11)]
    assert await kept(redis, run.execution_id) == expected


async def test_an_event_that_is_sent_again_is_kept_once(redis: Redis, run: ClaimedRun) -> None:
    for count in (3, 5):
        live = live_over(redis)  # One that does not know that anything had arrived.
        async with live.of_run(run) as sink:
            numbers(sink, *range(count))
        await live.close()
    assert await kept(redis, run.execution_id) == numbered(2, *range(5))


async def test_numbers_go_on_after_redis_was_flushed(
    redis: Redis, live: RedisLiveEvents, run: ClaimedRun
) -> None:
    async with live.of_run(run) as sink:
        numbers(sink, 0, 1)
        await eventually(lambda: kept(redis, run.execution_id))
        await redis.flushall()
        numbers(sink, 2)
    assert await kept(redis, run.execution_id) == numbered(2, 2, first=3)


@pytest.fixture
def redis_url(services: EmbeddedServices, redis: Redis) -> str:
    del redis  # It is emptied.
    assert services.redis_url is not None
    return services.redis_url


async def test_while_redis_is_away_the_oldest_events_give_way(
    redis: Redis, redis_url: str, run: ClaimedRun
) -> None:
    async with cuttable_line(redis_url) as line:
        far = open_redis(line.url)
        live = live_over(far, buffer_bytes=1024)
        async with live.of_run(run) as sink:
            numbers(sink, 0)
            await eventually(lambda: kept(redis, run.execution_id))
            await line.cut()
            numbers(sink, *range(1, 1001))
            await line.mend()
            await eventually(until(redis, run.execution_id, 1000))
        await live.close()
        await far.aclose()
    entries = await kept(redis, run.execution_id)
    assert [id_ for id_, _, _ in entries] == [f"2-{n}" for n in range(1, len(entries) + 1)]
    counts = [data["count"] for _, event_type, data in entries if event_type == "EventsDropped"]
    shown = [data["number"] for _, event_type, data in entries if event_type == "CustomStreamed"]
    assert entries[1][1] == "EventsDropped"
    assert len(shown) + sum(counts) == 1001
    assert shown == [0, *range(1002 - len(shown), 1001)]


def until(redis: Redis, execution_id: UUID, number: int) -> Callable[[], Any]:
    async def there() -> bool:
        return (await kept(redis, execution_id))[-1][2].get("number") == number

    return there


async def test_a_run_ends_although_redis_stays_away(redis_url: str, run: ClaimedRun) -> None:
    async with cuttable_line(redis_url) as line:
        far = open_redis(line.url)
        live = live_over(far)
        await line.cut()
        outcome = await drive(run, live)
        await live.close()
        await far.aclose()
    assert outcome.output is not None


async def test_a_reader_sees_the_events_of_one_run_from_where_it_was(
    redis: Redis, live: RedisLiveEvents, run: ClaimedRun
) -> None:
    async with live.of_run(run) as sink:
        numbers(sink, *range(5))
    async with live.of_run(replace(run, id=UUID(int=1), execution_version=4)) as sink:
        numbers(sink, 5)
    reader = LiveEventReader(redis)
    events = await reader.after(run.execution_id, EventPosition(2, 2), limit=2)
    assert [(number, event.id, event.data) for number, event in events] == [
        (3, "2-3", {"number": 2}),
        (4, "2-4", {"number": 3}),
    ]
    events = await reader.after(run.execution_id, EventPosition(2, 4), limit=10)
    assert [event.id for _, event in events] == ["2-5"]


async def test_for_a_reader_there_is_nothing_while_redis_is_away(
    redis_url: str, live: RedisLiveEvents, run: ClaimedRun
) -> None:
    async with live.of_run(run) as sink:
        numbers(sink, 1)
    async with cuttable_line(redis_url) as line:
        far = open_redis(line.url)
        reader = LiveEventReader(far)
        position = EventPosition(2)
        assert len(await reader.after(run.execution_id, position, limit=9)) == 1
        await line.cut()
        assert await reader.after(run.execution_id, position, limit=9) == []
        await line.mend()
        assert len(await reader.after(run.execution_id, position, limit=9)) == 1
        await far.aclose()


async def test_the_run_that_was_under_way_is_known_from_the_history(
    database: Database, run: ClaimedRun
) -> None:
    queries = EventQueries(database.engine)
    assert await queries.run_under_way(run.execution_id, 1) is None
    assert await queries.run_under_way(run.execution_id, 2) == 2
    assert await queries.run_under_way(run.execution_id, 9) == 2
