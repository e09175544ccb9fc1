"""Streams survive a killed API and a flushed Redis: every event comes, and comes once."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from uuid import UUID

import pytest
from arranging import API_KEY, accept, eventually, register
from own_api import own_api
from redis.asyncio import Redis
from served_api import kill_api
from websocket_readers import following
from websockets.exceptions import ConnectionClosed

from wtb_async.infrastructure.embedded import EmbeddedServices
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.nudges import RelaySignals
from wtb_async.sdk.client import WTBClient

Follow = Callable[[str, UUID, list[str]], Coroutine[None, None, None]]


async def follow_by_sdk(url: str, execution_id: UUID, seen: list[str]) -> None:
    async with WTBClient(url, api_key=API_KEY) as client:
        async for event in client.executions.events(execution_id):
            seen.append(event.id)  # noqa: PERF401 - a test watches it grow


async def follow_by_websocket(url: str, execution_id: UUID, seen: list[str]) -> None:
    while True:
        try:
            async with following(url) as follower:
                since = seen[-1] if seen else "0"
                await follower.subscribe(execution_id=str(execution_id), since=since)
                while True:
                    [(position, _)] = await follower.events(1)
                    seen.append(position or "")
        except (ConnectionClosed, OSError):
            await asyncio.sleep(0.1)


class Story:
    """Things that happen to one execution, and are announced."""

    def __init__(self, database: Database, redis: Redis, execution_id: UUID) -> None:
        self._database = database
        self._redis = redis
        self.execution_id = execution_id

    async def goes_on(self, count: int, event_type: str = "ExecutionPauseRequested") -> None:
        for _ in range(count):
            async with self._database.engine.begin() as connection:
                await connection.exec_driver_sql(
                    "WITH changed AS (UPDATE wtb_executions SET version = version + 1"
                    " WHERE id = $1 RETURNING version) INSERT INTO wtb_outbox"
                    " (aggregate, aggregate_id, sequence, type, data)"
                    " SELECT 'execution', $1, version, $2, '{}' FROM changed",
                    (self.execution_id, event_type),
                )
            await RelaySignals(self._redis).announce([self.execution_id])


@pytest.fixture
async def story(database: Database, redis: Redis) -> Story:
    plan = await accept(database.unit_of_work, await register(database.unit_of_work))
    return Story(database, redis, plan.executions[0].execution_id)


@pytest.mark.parametrize("follow", [follow_by_sdk, follow_by_websocket])
async def test_no_event_is_lost_or_doubled_when_the_api_is_killed_and_redis_flushed(
    follow: Follow,
    story: Story,
    database_url: str,
    redis: Redis,
    services: EmbeddedServices,
    tmp_path: Path,
) -> None:
    seen: list[str] = []
    port = free_port()

    async def seen_until(number: int) -> None:
        async def is_seen() -> bool:
            return len(seen) >= number

        await eventually(is_seen)

    async with own_api(database_url, services.redis_url, tmp_path / "first", port) as api:
        following_it = asyncio.create_task(follow(api.url, story.execution_id, seen))
        await story.goes_on(5)
        await seen_until(6)
        await redis.flushall()
        await story.goes_on(5)
        await seen_until(11)
        kill_api(api.url)
    await story.goes_on(5)
    await redis.flushall()
    async with own_api(database_url, services.redis_url, tmp_path / "second", port):
        await seen_until(16)
        await story.goes_on(4)
        await seen_until(20)
        following_it.cancel()
        await asyncio.gather(following_it, return_exceptions=True)
    assert seen == [str(number) for number in range(1, 21)]
