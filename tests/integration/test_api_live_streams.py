"""Event streams with live events: lifecycle and live in one order, resumable at every event."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from api_fixtures import ServedApi
from arranging import API_KEY, PATIENCE_SECONDS, accept, completed, eventually, settle
from event_readers import Reader, reading
from redis.asyncio import Redis
from served_api import Caller, fields_of
from streaming import claim_run, run_to_the_end

from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.bootstrap.platform import live_events
from wtb_async.domain.stream_mode import StreamMode
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.live_events import RedisLiveEvents, live_events_key
from wtb_async.infrastructure.redis.nudges import RelaySignals
from wtb_async.sdk.client import WTBClient
from wtb_async.settings import Settings


@pytest.fixture
async def live(settings: Settings, redis: Redis) -> AsyncIterator[RedisLiveEvents]:
    sender = live_events(settings, redis)
    yield sender
    await sender.close()


async def new_execution(served: Database, workflow: Workflow, *modes: str) -> UUID:
    plan = await accept(served.unit_of_work, workflow, stream=modes)
    return plan.executions[0].execution_id


async def to_the_end(reader: Reader) -> list[tuple[str, str, dict[str, Any]]]:
    """Everything up to the end of the execution."""
    seen = [await reader.next()]
    while seen[-1][1] != "ExecutionCompleted":
        seen.append(await reader.next())
    return seen


async def test_every_mode_reaches_the_stream_in_order_between_start_and_end(
    caller: Caller, letters: Workflow, served: Database, redis: Redis, live: RedisLiveEvents
) -> None:
    body = await caller.execute(letters.name, stream="development")
    assert body["stream"] == [mode.value for mode in StreamMode]
    path = f"/executions/{body['id']}/events"
    async with reading(caller, path) as reader:
        working = asyncio.create_task(run_to_the_end(served, redis, live, UUID(body["id"])))
        seen = await to_the_end(reader)
        await working
    count = len(seen) - 3
    ids = ["1", "2", *(f"2-{number}" for number in range(1, count + 1)), "3"]
    assert [id_ for id_, _, _ in seen] == ids
    assert {event_type for _, event_type, _ in seen[2:-1]} == {
        mode.event_type for mode in StreamMode
    }
    [custom, _] = [each for _, event_type, each in seen if event_type == "CustomStreamed"]
    assert custom == {
        "id": custom["id"],
        "type": "CustomStreamed",
        "at": custom["at"],
        "execution_id": body["id"],
        "data": {"ns": custom["data"]["ns"], "value": custom["data"]["value"]},
    }
    assert custom["at"].endswith("Z")
    async with reading(caller, path) as reader:
        assert await to_the_end(reader) == seen


async def test_a_stream_goes_on_in_the_middle_of_live_events(
    caller: Caller, letters: Workflow, served: Database, redis: Redis, live: RedisLiveEvents
) -> None:
    execution_id = await new_execution(served, letters, "updates", "tasks")
    await run_to_the_end(served, redis, live, execution_id)
    path = f"/executions/{execution_id}/events"
    async with reading(caller, path) as reader:
        seen = await to_the_end(reader)
    for place, (id_, _, _) in enumerate(seen[:-1], 1):
        async with reading(caller, path, **{"Last-Event-ID": id_}) as reader:
            assert await to_the_end(reader) == seen[place:]
        async with reading(caller, f"{path}?since={id_}") as reader:
            assert await to_the_end(reader) == seen[place:]


class Watched:
    """A claimed run that shows numbers one by one."""

    def __init__(
        self, served: Database, redis: Redis, live: RedisLiveEvents, runner: UUID, run: ClaimedRun
    ) -> None:
        self._served = served
        self._redis = redis
        self._runner = runner
        self._run = run
        self._showing = live.of_run(run)
        self.path = f"/executions/{run.execution_id}/events"
        self.key = live_events_key(run.execution_id)

    async def begin(self) -> None:
        sink = await self._showing.__aenter__()
        assert sink is not None
        self._sink = sink

    def show(self, *numbers: int) -> None:
        for number in numbers:
            self._sink.put("CustomStreamed", b'{"ns":[],"value":%d}' % number)

    async def hear(self, event_type: str) -> None:
        """A fact about the execution that neither begins nor ends its run."""
        async with self._served.engine.begin() as connection:
            await connection.exec_driver_sql(
                "WITH changed AS (UPDATE wtb_executions SET version = version + 1 WHERE id = $1"
                " RETURNING version) INSERT INTO wtb_outbox"
                " (aggregate, aggregate_id, sequence, type, data)"
                " SELECT 'execution', $1, version, $2, '{}' FROM changed",
                (self._run.execution_id, event_type),
            )
        await RelaySignals(self._redis).announce([self._run.execution_id])

    async def end(self) -> None:
        await self._showing.__aexit__(None, None, None)
        await settle(self._served.unit_of_work, self._runner, completed(self._run.id))
        await RelaySignals(self._redis).announce([self._run.execution_id])


@pytest.fixture
async def watched(
    letters: Workflow, served: Database, redis: Redis, live: RedisLiveEvents
) -> Watched:
    execution_id = await new_execution(served, letters, "custom")
    runner, run = await claim_run(served, execution_id)
    working = Watched(served, redis, live, runner, run)
    await working.begin()
    return working


async def test_a_lifecycle_event_during_a_run_costs_no_live_event(
    caller: Caller, watched: Watched
) -> None:
    async with reading(caller, watched.path) as reader:
        watched.show(1, 2)
        assert [id_ for id_, _ in await reader.types(4)] == ["1", "2", "2-1", "2-2"]
        await watched.hear("ExecutionPauseRequested")
        position, event_type, envelope = await reader.next()
        assert (position, event_type, envelope["id"]) == ("3-2", "ExecutionPauseRequested", 3)
        watched.show(3)
        position, _, envelope = await reader.next()
        assert (position, envelope["id"], envelope["data"]["value"]) == ("3-3", "2-3", 3)
    async with reading(caller, watched.path, **{"Last-Event-ID": "3-2"}) as reader:
        watched.show(4)
        await watched.end()
        seen = await to_the_end(reader)
    assert [id_ for id_, _, _ in seen] == ["3-3", "3-4", "4"]
    async with reading(caller, watched.path) as reader:
        ids = [id_ for id_, _, _ in await to_the_end(reader)]
    assert ids == ["1", "2", "2-1", "2-2", "2-3", "2-4", "3-4", "4"]


async def test_a_flushed_redis_costs_live_events_only(
    caller: Caller, watched: Watched, redis: Redis
) -> None:
    async with reading(caller, watched.path) as reader:
        watched.show(1, 2)
        assert [id_ for id_, _ in await reader.types(4)] == ["1", "2", "2-1", "2-2"]
        await redis.flushall()
        watched.show(3)
        assert [id_ for id_, _ in await reader.types(1)] == ["2-3"]
        await redis.flushall()
        await watched.end()
        assert await reader.types(1) == [("3", "ExecutionCompleted")]
    async with reading(caller, watched.path) as reader:
        assert [id_ for id_, _ in await reader.types(3)] == ["1", "2", "3"]


async def test_many_readers_share_the_few_connections_of_the_server(
    caller: Caller, watched: Watched, redis: Redis
) -> None:
    async def read(first: asyncio.Event) -> list[str]:
        async with reading(caller, watched.path) as reader:
            begun = await reader.types(2)
            first.set()
            return [id_ for id_, _ in begun + await reader.types(3)]

    begun = [asyncio.Event() for _ in range(40)]
    before = len(await redis.client_list())
    readers = [asyncio.create_task(read(each)) for each in begun]
    await asyncio.gather(*(each.wait() for each in begun))
    watched.show(1, 2, 3)
    seen = await asyncio.wait_for(asyncio.gather(*readers), PATIENCE_SECONDS)
    assert seen == [["1", "2", "2-1", "2-2", "2-3"]] * 40
    assert len(await redis.client_list()) - before <= 10
    await watched.end()


async def test_a_zombie_is_not_heard_after_its_run_was_taken_over(
    caller: Caller, watched: Watched, redis: Redis
) -> None:
    async with reading(caller, watched.path) as reader:
        watched.show(1)
        assert [id_ for id_, _ in await reader.types(3)] == ["1", "2", "2-1"]
        await watched.hear("ExecutionTakenOver")
        assert await reader.types(1) == [("3", "ExecutionTakenOver")]
        watched.show(2)

        async def arrived() -> bool:
            return bool(await redis.xlen(watched.key) == 2)

        await eventually(arrived)
        await watched.hear("ExecutionStarted")
        assert await reader.types(1) == [("4", "ExecutionStarted")]
        await watched.hear("ExecutionCompleted")
        assert await reader.types(1) == [("5", "ExecutionCompleted")]


@pytest.mark.parametrize("bad", ["x", "-1", "1-", "1-2-3", "1.5", "12345678901", "1-x"])
async def test_what_is_no_position_is_refused(
    caller: Caller, letters: Workflow, served: Database, bad: str
) -> None:
    path = f"/api/v1/executions/{await new_execution(served, letters, 'custom')}/events"
    answer = await caller.http.get(path, headers={"Last-Event-ID": bad})
    assert fields_of(answer) == ["Last-Event-ID"]
    assert fields_of(await caller.http.get(path, params={"since": bad})) == ["since"]


async def test_stream_modes_are_given_as_a_list_or_as_the_name_of_a_preset(
    caller: Caller, letters: Workflow
) -> None:
    assert (await caller.execute(letters.name))["stream"] == []
    assert (await caller.execute(letters.name, stream=["tasks", "values", "tasks"]))["stream"] == [
        "tasks",
        "values",
    ]
    audited = await caller.execute(letters.name, stream="production_audit")
    assert audited["stream"] == ["updates", "custom"]
    assert (await caller.get(f"/executions/{audited['id']}")).json()["stream"] == [
        "updates",
        "custom",
    ]


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("everything", "stream"),
        (["debug"], "stream.0"),
        (["development"], "stream.0"),
        (7, "stream"),
    ],
)
async def test_unknown_stream_modes_are_refused(
    caller: Caller, letters: Workflow, stream: object, field: str
) -> None:
    answer = await caller.post("/executions", workflow=letters.name, input={}, stream=stream)
    assert fields_of(answer) == [field]


async def test_the_sdk_asks_for_modes_and_follows_live_events_to_the_end(
    api: ServedApi, letters: Workflow, served: Database, redis: Redis, live: RedisLiveEvents
) -> None:
    async with WTBClient(api.url, api_key=API_KEY) as client:
        execution = await client.executions.create(letters.name, {}, stream=["custom"])
        assert execution.stream == ("custom",)
        working = asyncio.create_task(run_to_the_end(served, redis, live, execution.id))
        seen = [event async for event in client.executions.events(execution.id)]
        await working
        rest = [event async for event in client.executions.events(execution.id, after="2-1")]
    assert [event.id for event in seen] == ["1", "2", "2-1", "2-2", "3"]
    assert rest == seen[3:]
