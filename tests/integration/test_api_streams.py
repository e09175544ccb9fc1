"""Server-Sent Events: the history first, then what happens, from wherever the reader was."""

import asyncio
from uuid import UUID

from arranging import accept, claim, register_runner
from event_readers import reading
from redis.asyncio import Redis
from relayed_runs import run_to_the_end
from served_api import Caller

from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.nudges import RelaySignals


async def test_a_stream_tells_the_history_and_goes_on_live(
    caller: Caller, letters: Workflow, served: Database, redis: Redis
) -> None:
    [planned] = (await accept(served.unit_of_work, letters)).executions
    async with reading(caller, f"/executions/{planned.execution_id}/events") as reader:
        number, kind, envelope = await reader.next()
        assert (number, kind) == ("1", "ExecutionCreated")
        assert envelope == {
            "id": 1,
            "type": "ExecutionCreated",
            "at": envelope["at"],
            "execution_id": str(planned.execution_id),
            "data": {"pool": "default"},
        }
        await run_to_the_end(served, redis, planned.execution_id)
        assert await reader.types(2) == [("2", "ExecutionStarted"), ("3", "ExecutionCompleted")]


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(
    caller: Caller, letters: Workflow, served: Database, redis: Redis
) -> None:
    [planned] = (await accept(served.unit_of_work, letters)).executions
    await run_to_the_end(served, redis, planned.execution_id)
    path = f"/executions/{planned.execution_id}/events"
    async with reading(caller, path, **{"Last-Event-ID": "1"}) as reader:
        assert await reader.types(2) == [("2", "ExecutionStarted"), ("3", "ExecutionCompleted")]
    async with reading(caller, f"{path}?since=2") as reader:
        assert await reader.types(1) == [("3", "ExecutionCompleted")]


async def test_many_readers_of_one_object_all_hear_of_it(
    caller: Caller, letters: Workflow, served: Database, redis: Redis
) -> None:
    [planned] = (await accept(served.unit_of_work, letters)).executions
    path = f"/executions/{planned.execution_id}/events"
    heard: list[asyncio.Event] = [asyncio.Event() for _ in range(10)]

    async def read(first: asyncio.Event) -> list[tuple[str, str]]:
        async with reading(caller, path) as reader:
            begun = await reader.types(1)
            first.set()
            return begun + await reader.types(2)

    readers = [asyncio.create_task(read(first)) for first in heard]
    await asyncio.gather(*(first.wait() for first in heard))
    await run_to_the_end(served, redis, planned.execution_id)
    expected = [("1", "ExecutionCreated"), ("2", "ExecutionStarted"), ("3", "ExecutionCompleted")]
    assert await asyncio.gather(*readers) == [expected] * 10


async def test_a_batch_stream_shows_progress_between_its_events(
    caller: Caller, letters: Workflow, served: Database, redis: Redis
) -> None:
    cases = [{"id": str(number), "input": {}} for number in range(2)]
    batch = (await caller.post("/batch-tests", workflow=letters.name, test_cases=cases)).json()
    batch_id = UUID(batch["id"])
    async with reading(caller, f"/batch-tests/{batch_id}/events") as reader:
        number, kind, envelope = await reader.next()
        assert (number, kind) == ("", "BatchProgress")
        assert envelope["batch_test_id"] == batch["id"]
        assert envelope["data"] == {"counts": batch["counts"], "scored": 0}
        assert await reader.types(1) == [("1", "BatchCreated")]
        runner = await register_runner(served.unit_of_work)
        claimed = await claim(served.unit_of_work, runner)
        assert [run.batch_test_id for run in claimed].count(batch_id) == 2
        async with served.unit_of_work() as uow:
            await uow.batch_tests.mark_started([batch_id], runner)
            await uow.commit()
        await RelaySignals(redis).announce([batch_id])
        _, _, envelope = await reader.next()
        assert envelope["data"]["counts"]["running"] == 2
        assert (await reader.next())[:2] == ("2", "BatchStarted")


async def test_a_last_event_id_that_is_no_number_is_refused(
    caller: Caller, letters: Workflow, served: Database
) -> None:
    [planned] = (await accept(served.unit_of_work, letters)).executions
    answer = await caller.http.get(
        f"/api/v1/executions/{planned.execution_id}/events", headers={"Last-Event-ID": "x"}
    )
    assert answer.status_code == 422
