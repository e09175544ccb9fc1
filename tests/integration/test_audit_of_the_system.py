"""What the system does by itself is in the audit trail too, with the part that did it."""

from typing import Any
from uuid import UUID

from arranging import accept, claim, eventually, register, register_runner, select
from command_routes import Bed
from living_runner import living_runner
from local_benches import words_project

from wtb_async.application.ids import new_id
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import Limits
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.sdk.bench import WTBTestBench
from wtb_async.settings import Settings


async def trail(database: Database, aggregate_id: UUID | str) -> list[tuple[Any, ...]]:
    """Who did what to one object, and its status before and after."""
    rows = await select(
        database,
        "SELECT actor, action, status_before, status_after FROM wtb_audit_log"
        " WHERE aggregate_id = :id ORDER BY id",
        id=aggregate_id,
    )
    return [tuple(row.values()) for row in rows]


async def test_every_event_of_a_run_and_its_runner_has_its_entry(
    platform: Platform, settings: Settings
) -> None:
    workflow = await register(platform.database.unit_of_work)
    await accept(platform.database.unit_of_work, workflow, 3, input_={"do": ""})

    async def all_ended() -> bool:
        rows = await select(
            platform.database, "SELECT id FROM wtb_executions WHERE status = 'completed'"
        )
        return len(rows) == 3

    async with living_runner(settings):
        await eventually(all_ended)
    events = "SELECT aggregate_id::text AS id, type FROM wtb_outbox ORDER BY 1, 2"
    entries = "SELECT aggregate_id::text AS id, action AS type FROM wtb_audit_log ORDER BY 1, 2"
    assert await select(platform.database, events) == await select(platform.database, entries)
    [runner] = await select(platform.database, "SELECT id FROM wtb_runners")
    assert await trail(platform.database, runner["id"]) == [
        (f"runner:{runner['id']}", "RunnerStarted", None, "alive"),
        (f"runner:{runner['id']}", "RunnerStopped", "alive", "stopped"),
    ]


async def test_what_the_reaper_ends_is_told_of_the_reaper(platform: Platform) -> None:
    factory = platform.database.unit_of_work
    plan = await accept(factory, await register(factory), limits=Limits(max_attempts=1))
    runner = await register_runner(factory)
    await claim(factory, runner)
    async with factory() as uow:
        await uow.runners.note_alone(runner, plan.executions[0].run_id)
        await uow.commit()
    assert await reap_lost_runners(factory, lease_seconds=0) == 1
    assert await trail(platform.database, plan.executions[0].execution_id) == [
        ("test", "ExecutionCreated", None, "pending"),
        (f"runner:{runner}", "ExecutionStarted", "pending", "running"),
        ("reaper", "ExecutionFailed", "running", "failed"),
    ]
    assert await trail(platform.database, runner) == [("reaper", "RunnerLost", "alive", "lost")]


async def test_a_batch_test_is_started_by_the_runner_that_claims_of_it(bed: Bed) -> None:
    batch, runner = (await bed.batch()).rpartition("/")[2], new_id()
    async with bed.served.unit_of_work() as uow:
        await uow.batch_tests.mark_started([UUID(batch)], runner)
        await uow.commit()
    started = (f"runner:{runner}", "BatchStarted", "pending", "running")
    assert (await trail(bed.served, batch))[-1] == started


async def test_an_event_that_is_given_up_is_told_of_its_object(bed: Bed) -> None:
    await bed.dead_letter()
    assert ("relay", "EventBuried", None, None) in await trail(bed.served, bed.letters.id)


async def test_a_bench_in_this_process_keeps_the_trail_too(bench: WTBTestBench) -> None:
    await bench.register_project(words_project())
    execution = await bench.run("words", {"text": "to be"})
    entries = [each async for each in bench.client.audit.of_execution(execution.id)]
    assert " ".join(each.action for each in entries) == (
        "ExecutionCompleted ExecutionStarted ExecutionCreated"
    )
    assert [each.request_id is not None for each in entries] == [False, False, True]
    [registered] = [each async for each in bench.client.audit.list(kind="register")]
    assert registered.action == "WorkflowRegistered"
