"""Streams whose database is away end with the position to go on from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from api_fixtures import ServedApi
from arranging import eventually
from event_readers import reading
from redis.asyncio import Redis
from served_api import Caller
from websocket_readers import following
from websockets.exceptions import ConnectionClosedError

from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.redis.nudges import RelaySignals


@asynccontextmanager
async def cut_off(api: ServedApi, caller: Caller) -> AsyncIterator[None]:
    """No database until the end of the block, and a working one after it."""
    await api.line.cut()
    try:
        yield
    finally:
        await api.line.mend()

    async def answers_again() -> bool:
        return (await caller.get("/workflows")).status_code == 200

    await eventually(answers_again)


async def test_an_sse_stream_ends_with_its_position(
    api: ServedApi, caller: Caller, letters: Workflow, redis: Redis
) -> None:
    execution = await caller.execute(letters.name)
    async with reading(caller, f"/executions/{execution['id']}/events") as reader:
        await reader.next()
        async with cut_off(api, caller):
            await RelaySignals(redis).announce([UUID(execution["id"])])
            _, event_type, envelope = await reader.next()
    assert (event_type, envelope["execution_id"]) == ("StreamClosed", execution["id"])
    assert (envelope["data"]["reason"], envelope["data"]["position"]) == ("unavailable", "1")


async def test_a_websocket_tells_the_position_of_each_of_its_streams(
    api: ServedApi, caller: Caller, letters: Workflow, redis: Redis
) -> None:
    ids = [(await caller.execute(letters.name))["id"] for _ in range(2)]
    async with following(api.url) as follower:
        for each in ids:
            await follower.subscribe(execution_id=each)
            await follower.events(1)
        async with cut_off(api, caller):
            await RelaySignals(redis).announce([UUID(ids[0])])
            closed = [event for _, event in await follower.events(2)]
            with pytest.raises(ConnectionClosedError) as ended:
                await follower.hear()
    assert [each["execution_id"] for each in closed] == ids
    assert {each["data"]["position"] for each in closed} == {"1"}
    assert ended.value.rcvd is not None
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1013, "unavailable")
