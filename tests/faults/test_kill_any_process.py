"""kill -9 of any one process of the stack while a batch runs loses no execution."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import UUID

import psutil
import psycopg
import pytest

from wtb_async.infrastructure.embedded.record import StackRecord
from wtb_async.sdk.batch_models import BatchProgress, BatchTest
from wtb_async.sdk.client import WTBClient

RUNS = 400
DEADLINE_SECONDS = 150.0

VICTIMS: dict[str, Callable[[list[str]], bool]] = {
    "runner": lambda argv: argv[0].startswith("ray::RunActor"),
    "celery worker": lambda argv: "celery" in argv and "worker" in argv,
    "beat": lambda argv: "celery" in argv and "beat" in argv,
    "api": lambda argv: "uvicorn" in argv,
    "flower": lambda argv: "celery" in argv and "flower" in argv,
    "redis": lambda argv: "redis-server" in argv[0],
    "postgres": lambda argv: argv[0].endswith("/postgres") and "-D" in argv,
    "ray's control store": lambda argv: argv[0].endswith("/gcs_server"),
    "ray's node": lambda argv: argv[0].endswith("/raylet"),
}


def processes(stack: StackRecord) -> Iterator[tuple[psutil.Process, list[str]]]:
    supervisor = psutil.Process(stack.supervisor_pid)
    for process in supervisor.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if argv := process.cmdline():
                yield process, argv


def kill(stack: StackRecord, victim: str) -> int:
    """kill -9 one process; answers its pid."""
    is_victim = VICTIMS[victim]
    for process, argv in processes(stack):
        if is_victim(argv):
            process.kill()
            return process.pid
    raise AssertionError(f"there is no {victim}: {[argv[0] for _, argv in processes(stack)]}")


async def submit(client: WTBClient) -> BatchTest:
    return await client.batch_tests.create(
        {
            "workflow": "letters",
            "name": "under fire",
            "variant_matrix": {"second": ["base", "loud"]},
            "test_cases": [{"id": str(n), "input": {"letters": []}} for n in range(RUNS // 2)],
            "evaluators": ["wtb.latency"],
        }
    )


async def some_are_done(client: WTBClient, batch_id: UUID) -> None:
    async for event in client.batch_tests.events(batch_id):
        if event.type == "BatchProgress":
            progress = BatchProgress.model_validate(event.data)
            if progress.counts.completed > 0:
                return


async def histories(stack: StackRecord, batch_id: UUID) -> dict[UUID, list[tuple[int, str]]]:
    """Sequence and type of every event of the batch's executions."""
    query = """
        SELECT event.aggregate_id, event.sequence, event.type FROM wtb_outbox AS event
        JOIN wtb_executions AS execution ON execution.id = event.aggregate_id
        WHERE execution.batch_test_id = %s ORDER BY event.id
    """
    found: dict[UUID, list[tuple[int, str]]] = {}
    async with await psycopg.AsyncConnection.connect(stack.addresses.database_url) as connection:
        async for execution_id, sequence, kind in await connection.execute(query, (batch_id,)):
            found.setdefault(execution_id, []).append((sequence, kind))
    return found


@pytest.mark.parametrize("victim", VICTIMS)
async def test_a_batch_is_completed_although_a_process_was_killed(
    victim: str, client: WTBClient, stack: StackRecord
) -> None:
    batch = await submit(client)
    await some_are_done(client, batch.id)

    kill(stack, victim)

    async with asyncio.timeout(DEADLINE_SECONDS):
        done = await client.batch_tests.wait_for(batch.id)
    assert done.counts.completed == RUNS
    rows = [row async for row in client.batch_tests.results(batch.id)]
    for row in rows:
        letter = "B!" if row.combination["second"] == "loud" else "b"
        assert row.output == {"letters": ["a", letter]}
        assert set(row.scores) == {"wtb.latency"}
    for events in (await histories(stack, batch.id)).values():
        assert [sequence for sequence, _ in events] == list(range(1, len(events) + 1))
        assert Counter(kind for _, kind in events)["ExecutionCompleted"] == 1


async def test_a_node_that_ends_its_runner_fails_alone(client: WTBClient) -> None:
    batch = await submit(client)
    poison = await client.executions.create("letters", {"do": "die", "letters": []})
    async with asyncio.timeout(DEADLINE_SECONDS):
        failed = await client.executions.wait_for(poison.id)
        done = await client.batch_tests.wait_for(batch.id)
    assert failed.error is not None
    assert (failed.error.type, failed.attempt) == ("runner_lost", 3)
    assert done.counts.completed == RUNS
