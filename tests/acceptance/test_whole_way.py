"""What a user sees of a run, from its POST to Flower."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg

from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.embedded.record import StackRecord
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.models import Execution

DEADLINE_SECONDS = 60.0


async def run(client: WTBClient, do: str = "", **options: Any) -> Execution:  # noqa: ANN401
    made = await client.executions.create("letters", {"do": do, "letters": []}, **options)
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await client.executions.wait_for(made.id)


def ask_flower(stack: StackRecord, path: str, *, method: str = "GET") -> Any:  # noqa: ANN401
    addresses = stack.addresses
    login = (addresses.flower_user, addresses.flower_password)
    answer = httpx.request(method, addresses.flower_url + path, auth=login, timeout=20)
    answer.raise_for_status()
    return answer.json()


async def flower_shows(stack: StackRecord, path: str, wanted: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    """Flower hears of things through events, so what it shows comes a moment later."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                shown = await asyncio.to_thread(ask_flower, stack, path)
            except httpx.HTTPStatusError:
                shown = None
            if shown is not None and wanted(shown):
                return shown
            await asyncio.sleep(0.1)


async def run_id_of(stack: StackRecord, execution: Execution) -> str:
    query = "SELECT run_id FROM wtb_executions WHERE id = %s"
    async with await psycopg.AsyncConnection.connect(stack.addresses.database_url) as connection:
        row = await (await connection.execute(query, (execution.id,))).fetchone()
    assert row is not None
    return str(row[0])


async def test_a_run_goes_through_its_graph(client: WTBClient) -> None:
    done = await run(client)
    assert done.status is ExecutionStatus.COMPLETED
    assert done.output == {"do": "", "letters": ["a", "b"]}
    assert isinstance(done.finished_at, datetime)
    events = [event.type async for event in client.executions.events(done.id)]
    assert events == ["ExecutionCreated", "ExecutionStarted", "ExecutionCompleted"]


async def test_a_variant_takes_its_nodes_place(client: WTBClient) -> None:
    done = await run(client, variants={"second": "loud"})
    assert done.output == {"do": "", "letters": ["a", "B!"]}


async def test_what_a_node_raises_is_told_with_its_node(client: WTBClient) -> None:
    failed = await run(client, "fail")
    assert failed.status is ExecutionStatus.FAILED
    assert failed.error is not None
    assert (failed.error.type, failed.error.message, failed.error.node) == (
        "ValueError",
        "told to fail",
        "second",
    )


async def test_a_question_of_the_graph_pauses_the_run(client: WTBClient) -> None:
    paused = await run(client, "ask")
    assert paused.status is ExecutionStatus.PAUSED
    assert paused.next_nodes == ("second",)
    assert [item.value for item in paused.interrupts] == ["which letter?"]


async def test_the_timeline_shows_each_superstep_and_what_comes_next(client: WTBClient) -> None:
    done = await run(client)
    timeline = [checkpoint async for checkpoint in client.executions.checkpoints(done.id)]
    assert [(each.step, each.next_nodes) for each in timeline] == [
        (2, ()),
        (1, ("second",)),
        (0, ("first",)),
        (-1, ("__start__",)),
    ]
    assert timeline[0].checkpoint_id == done.checkpoint_id
    assert [each.parent_checkpoint_id for each in timeline[:-1]] == [
        each.checkpoint_id for each in timeline[1:]
    ]


async def test_a_batch_is_run_scored_and_compared(client: WTBClient) -> None:
    body: JsonObject = {
        "workflow": "letters",
        "name": "loud or not",
        "variant_matrix": {"second": ["base", "loud"]},
        "test_cases": [
            {"id": str(n), "input": {"letters": []}, "reference": {"letters": ["a", "B!"]}}
            for n in range(20)
        ],
        "evaluators": ["wtb.exact_match", "wtb.latency"],
    }
    made = await client.batch_tests.create(body)
    async with asyncio.timeout(DEADLINE_SECONDS):
        done = await client.batch_tests.wait_for(made.id)
    assert (done.counts.total, done.counts.completed) == (40, 40)
    rows = [row async for row in client.batch_tests.results(made.id)]
    assert len(rows) == 40
    for row in rows:
        assert row.scores["wtb.exact_match"] is (row.combination == {"second": "loud"})
    comparison = await client.batch_tests.comparison(made.id)
    matches = comparison.evaluators[0]
    assert (matches.key, matches.verdict) == ("wtb.exact_match", "better")
    assert "second=loud" in matches.sentence
    await is_scored_again(client, made.id)


async def is_scored_again(client: WTBClient, batch_id: UUID) -> None:
    """Other evaluators look at it, at pairs and at whole columns, without another run."""
    shouts: JsonObject = {"use": "wtb.regex", "with": {"pattern": "!$"}, "output": "letters.1"}
    asked = await client.batch_tests.score(
        batch_id,
        [{**shouts, "key": "shouts"}],
        pairwise_evaluators=["./letters/judges.py:longer"],
        summary_evaluators=["./letters/judges.py:words"],
    )
    assert asked.status is BatchStatus.RUNNING
    async with asyncio.timeout(DEADLINE_SECONDS):
        done = await client.batch_tests.wait_for(batch_id)
    assert (done.status, done.counts.completed) == (BatchStatus.COMPLETED, 40)
    comparison = await client.batch_tests.comparison(batch_id)
    assert [each.key for each in comparison.evaluators] == [
        "wtb.exact_match",
        "shouts",
        "wtb.latency",
    ]
    [preferred] = comparison.preferences
    assert (preferred.cells[0].won, preferred.verdict) == (20, "better")
    assert [each.score for each in comparison.summaries] == [1, 1]


async def test_a_finished_batch_grows_and_ends_again(client: WTBClient) -> None:
    case: JsonObject = {"input": {"letters": []}, "reference": {"letters": ["a", "b"]}}
    body: JsonObject = {
        "workflow": "letters",
        "test_cases": [{"id": "one", **case}],
        "evaluators": ["wtb.exact_match"],
    }
    batch = await client.batch_tests.create(body)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await client.batch_tests.wait_for(batch.id)
        more: JsonObject = {
            "variant_matrix": {"second": ["loud"]},
            "test_cases": [{"id": "two", **case}],
        }
        await client.batch_tests.extend(batch.id, more)
        done = await client.batch_tests.wait_for(batch.id)
        events = [event.type async for event in client.batch_tests.events(batch.id)]
    assert (done.status, done.counts.completed) == (BatchStatus.COMPLETED, 4)
    found = {
        (row.test_case_id, row.combination["second"]): row.scores["wtb.exact_match"]
        async for row in client.batch_tests.results(batch.id)
    }
    assert found == {
        (key, variant): variant == "base" for key in ("one", "two") for variant in ("base", "loud")
    }
    assert [each for each in events if each != "BatchProgress"] == [
        "BatchCreated",
        "BatchStarted",
        "BatchCompleted",
        "BatchExtended",
        "BatchCompleted",
    ]


async def test_flower_shows_each_run_with_its_state_and_runtime(
    client: WTBClient, stack: StackRecord
) -> None:
    done, failed = await run(client), await run(client, "fail")
    good, bad = await run_id_of(stack, done), await run_id_of(stack, failed)
    task = await flower_shows(
        stack, f"/api/task/info/{good}", lambda shown: shown["state"] == "SUCCESS"
    )
    assert task["name"] == "wtb.run"
    assert task["runtime"] > 0
    assert str(done.id) in task["args"]
    task = await flower_shows(
        stack, f"/api/task/info/{bad}", lambda shown: shown["state"] == "FAILURE"
    )
    assert "told to fail" in task["exception"]


async def test_flower_shows_each_runner_as_a_worker(stack: StackRecord) -> None:
    workers = await flower_shows(
        stack, "/api/workers?refresh=1", lambda shown: any("runner-" in name for name in shown)
    )
    assert any(name.startswith("worker@") for name in workers)


async def test_revoke_in_flower_stops_the_run(client: WTBClient, stack: StackRecord) -> None:
    made = await client.executions.create("letters", {"do": "wait", "letters": []})
    run_id = await run_id_of(stack, made)
    await flower_shows(stack, f"/api/task/info/{run_id}", lambda shown: shown["state"] == "STARTED")
    await asyncio.to_thread(
        ask_flower, stack, f"/api/task/revoke/{run_id}?terminate=true", method="POST"
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        stopped = await client.executions.wait_for(made.id)
    assert stopped.status is ExecutionStatus.CANCELLED
