"""WebSocket: many objects over one connection, each as its SSE stream shows it."""

from typing import Any
from uuid import UUID

import pytest
from api_fixtures import ServedApi
from arranging import accept, claim, register_runner
from event_readers import reading
from redis.asyncio import Redis
from relayed_runs import run_to_the_end
from served_api import Caller
from websocket_readers import Follower, following, websocket_url
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from wtb_async.application.ids import new_id
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.nudges import RelaySignals

ENDED = [("1", "ExecutionCreated"), ("2", "ExecutionStarted"), ("3", "ExecutionCompleted")]


async def new_executions(served: Database, workflow: Workflow, count: int = 1) -> list[UUID]:
    plan = await accept(served.unit_of_work, workflow, count)
    return [planned.execution_id for planned in plan.executions]


async def test_one_connection_follows_executions_and_batches_with_the_envelopes_of_sse(
    api: ServedApi, caller: Caller, letters: Workflow, served: Database, redis: Redis
) -> None:
    [execution_id] = await new_executions(served, letters)
    cases = [{"id": "1", "input": {}}]
    batch = (await caller.post("/batch-tests", workflow=letters.name, test_cases=cases)).json()
    async with following(api.url) as follower:
        await follower.subscribe(execution_id=str(execution_id))
        assert await follower.types(1) == ENDED[:1]
        await follower.subscribe(batch_test_id=batch["id"])
        [progress, created] = await follower.events(2)
        assert (progress[0], progress[1]["type"]) == (None, "BatchProgress")
        assert (created[0], created[1]["type"]) == ("1", "BatchCreated")
        await run_to_the_end(served, redis, execution_id)
        lived = await follower.events(2)
    async with reading(caller, f"/executions/{execution_id}/events?since=1") as reader:
        streamed = [await reader.next() for _ in range(2)]
    assert lived == [(position, envelope) for position, _, envelope in streamed]
    async with reading(caller, f"/batch-tests/{batch['id']}/events") as reader:
        _, event_type, envelope = await reader.next()
        assert (event_type, envelope.keys()) == ("BatchProgress", progress[1].keys())
        assert (await reader.next())[2] == created[1]


async def test_a_subscription_goes_on_after_a_position(
    api: ServedApi, letters: Workflow, served: Database, redis: Redis
) -> None:
    [execution_id] = await new_executions(served, letters)
    await run_to_the_end(served, redis, execution_id)
    async with following(api.url) as follower:
        await follower.subscribe(execution_id=str(execution_id), since="2")
        assert await follower.types(1) == ENDED[2:]


async def test_nothing_more_comes_after_unsubscribing_and_its_answer_says_where_to_go_on(
    api: ServedApi, letters: Workflow, served: Database, redis: Redis
) -> None:
    left, kept = await new_executions(served, letters, 2)
    async with following(api.url) as follower:
        for each in (left, kept):
            await follower.subscribe(execution_id=str(each))
            assert await follower.types(1) == ENDED[:1]
        heard = await follower.ask(unsubscribe={"execution_id": str(left)})
        assert heard == {"unsubscribed": {"execution_id": str(left), "since": "1"}}
        await run_to_the_end(served, redis, left, kept)
        assert {event["execution_id"] for _, event in await follower.events(2)} == {str(kept)}
        await follower.subscribe(execution_id=str(left), since="1")
        assert await follower.types(2) == ENDED[1:]


async def test_progress_comes_as_over_sse(
    api: ServedApi, caller: Caller, letters: Workflow, served: Database, redis: Redis
) -> None:
    cases = [{"id": str(number), "input": {}} for number in range(2)]
    batch = (await caller.post("/batch-tests", workflow=letters.name, test_cases=cases)).json()
    async with following(api.url) as follower:
        await follower.subscribe(batch_test_id=batch["id"])
        await follower.events(2)
        await claim(served.unit_of_work, await register_runner(served.unit_of_work))
        await RelaySignals(redis).announce([], [UUID(batch["id"])])
        [(_, event)] = await follower.events(1)
    assert (event["type"], event["data"]["counts"]["running"]) == ("BatchProgress", 2)


async def error_of(follower: Follower, message: str) -> tuple[str, list[str]]:
    """Code and fields of the error that a message is answered with."""
    await follower.connection.send(message)
    error = (await follower.hear())["error"]
    assert error["detail"]
    assert all(each["message"] for each in error["errors"])
    return error["code"], [each["field"] for each in error["errors"]]


ID = str(UUID(int=7))


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("", ["message"]),
        ("{", ["message"]),
        ("[]", ["message"]),
        ("{}", ["message"]),
        ("[" * 4000, ["message"]),
        ('{"subscribe": {}, "unsubscribe": {}}', ["subscribe", "unsubscribe"]),
        ('{"publish": {}}', ["publish"]),
        ('{"subscribe": {}}', ["subscribe"]),
        ('{"subscribe": {"execution_id": "x"}}', ["subscribe.execution_id"]),
        ('{"subscribe": {"execution_id": 7}}', ["subscribe.execution_id"]),
        (f'{{"subscribe": {{"execution_id": "{ID}", "since": "x"}}}}', ["subscribe.since"]),
        (f'{{"subscribe": {{"execution_id": "{ID}", "since": 7}}}}', ["subscribe.since"]),
        (f'{{"subscribe": {{"batch_test_id": "{ID}", "since": "1-2"}}}}', ["subscribe.since"]),
        (f'{{"subscribe": {{"execution_id": "{ID}", "batch_test_id": "{ID}"}}}}', ["subscribe"]),
        (f'{{"unsubscribe": {{"execution_id": "{ID}", "since": "1"}}}}', ["unsubscribe.since"]),
    ],
)
async def test_what_is_not_understood_is_answered_with_the_fields_to_blame(
    api: ServedApi, message: str, fields: list[str]
) -> None:
    async with following(api.url) as follower:
        assert await error_of(follower, message) == ("invalid_input", fields)
        missing = f'{{"subscribe": {{"execution_id": "{ID}"}}}}'
        assert await error_of(follower, missing) == ("not_found", ["subscribe.execution_id"])


async def test_bytes_are_no_message(api: ServedApi) -> None:
    async with following(api.url) as follower:
        await follower.connection.send(b"{}")
        assert (await follower.hear())["error"]["code"] == "invalid_input"


async def test_an_object_is_followed_once_and_left_once(
    api: ServedApi, letters: Workflow, served: Database
) -> None:
    subject = {"execution_id": str((await new_executions(served, letters))[0])}
    async with following(api.url) as follower:
        await follower.subscribe(**subject)
        await follower.events(1)
        assert (await follower.ask(subscribe=subject))["error"]["code"] == "already_subscribed"
        assert "unsubscribed" in await follower.ask(unsubscribe=subject)
        error = (await follower.ask(unsubscribe=subject))["error"]
    assert error["code"] == "not_subscribed"
    assert error["errors"][0]["field"] == "unsubscribe.execution_id"


async def test_a_connection_follows_a_bounded_number_of_objects(
    api: ServedApi, letters: Workflow, served: Database
) -> None:
    *most, one_more = await new_executions(served, letters, 101)
    async with following(api.url) as follower:
        for execution_id in most:
            await follower.say(subscribe={"execution_id": str(execution_id)})
        heard = [await follower.hear() for _ in range(2 * len(most))]
        assert not [each for each in heard if "error" in each]
        heard_last = await follower.ask(subscribe={"execution_id": str(one_more)})
        assert heard_last["error"]["code"] == "too_many_subscriptions"
        await follower.ask(unsubscribe={"execution_id": str(most[0])})
        await follower.subscribe(execution_id=str(one_more))


@pytest.mark.parametrize("length", [4097, 20_000_000])
async def test_a_message_that_is_too_large_ends_the_connection(api: ServedApi, length: int) -> None:
    async with following(api.url) as follower:
        with pytest.raises(ConnectionClosedError) as closed:
            await follower.ask(subscribe={"execution_id": "x" * length})
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"X-API-Key": ""}])
async def test_a_stranger_is_refused_before_the_connection_is_open(
    api: ServedApi, headers: dict[str, Any]
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(websocket_url(api.url), additional_headers=headers):
            pass
    response = refused.value.response
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == "Bearer"
    assert b'"code":"unauthorized"' in response.body


async def test_what_does_not_exist_is_named(api: ServedApi) -> None:
    missing = str(new_id())
    async with following(api.url) as follower:
        error = (await follower.ask(subscribe={"batch_test_id": missing}))["error"]
    assert missing in error["detail"]
    assert error["errors"][0]["field"] == "subscribe.batch_test_id"
