"""Runners that die: others go on from the last checkpoint, and the dead change nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from arranging import (
    PATIENCE_SECONDS,
    accept,
    change,
    claim,
    completed,
    eventually,
    history,
    register,
    register_runner,
    select,
    settle,
)
from forking import LAST_TIMESTAMP, an_hour_ahead
from living_runner import LivingRunner, living_runner
from tally_file import Tally

from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.application.runs.runner import LeaseLost
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import ExecutionStatus, Limits
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.settings import Settings


@pytest.fixture
def tally(tmp_path: Path) -> Tally:
    return Tally(tmp_path)


@pytest.fixture
async def workflow(platform: Platform) -> Workflow:
    return await register(platform.database.unit_of_work, "tally")


@pytest.fixture
async def runner(settings: Settings, workflow: Workflow) -> AsyncIterator[LivingRunner]:
    del workflow
    async with living_runner(settings) as living:
        yield living


async def submit(
    platform: Platform, workflow: Workflow, tally: Tally, name: str = "x", **limits: int
) -> UUID:
    plan = await accept(
        platform.database.unit_of_work,
        workflow,
        input_={**tally.input_for(name)},
        limits=Limits(**limits),
    )
    return plan.executions[0].execution_id


async def read(platform: Platform, execution_id: UUID) -> ExecutionView:
    return await ExecutionQueries(platform.database.engine).get(execution_id)


async def in_status(
    platform: Platform, execution_id: UUID, status: ExecutionStatus
) -> ExecutionView:
    async def there() -> bool:
        return (await read(platform, execution_id)).status is status

    await eventually(there)
    return await read(platform, execution_id)


async def reap(platform: Platform) -> int:
    return await reap_lost_runners(platform.database.unit_of_work, lease_seconds=0)


async def test_another_runner_goes_on_from_the_last_checkpoint(
    platform: Platform, settings: Settings, workflow: Workflow, runner: LivingRunner, tally: Tally
) -> None:
    execution_id = await submit(platform, workflow, tally)
    await tally.reached("x second")
    before = await read(platform, execution_id)
    await runner.die()
    tally.open_gate()
    assert await reap(platform) == 1
    async with living_runner(settings, "runner-2"):
        after = await in_status(platform, execution_id, ExecutionStatus.COMPLETED)
    assert tally.lines() == ["x first", "x second", "x second", "x end"]
    assert after.output == {**tally.input_for("x"), "done": ["first", "second"]}
    assert (before.attempt, after.attempt) == (1, 2)
    assert await history(platform.database, execution_id) == [
        (1, "ExecutionCreated"),
        (2, "ExecutionStarted"),
        (3, "ExecutionTakenOver"),
        (4, "ExecutionCompleted"),
    ]
    [thread] = await select(
        platform.database, "SELECT * FROM wtb_threads WHERE id = :id", id=after.thread_id
    )
    assert (thread["parent_id"], thread["reason"]) == (before.thread_id, "takeover")
    [head] = await select(
        platform.database,
        "SELECT max(checkpoint_id) AS id FROM checkpoints WHERE thread_id = :thread",
        thread=str(before.thread_id),
    )
    assert thread["fork_checkpoint_id"] == head["id"]


async def test_a_runner_whose_clock_is_behind_still_writes_the_head(
    platform: Platform,
    settings: Settings,
    workflow: Workflow,
    runner: LivingRunner,
    tally: Tally,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LAST_TIMESTAMP, an_hour_ahead())
    execution_id = await submit(platform, workflow, tally)
    await tally.reached("x second")
    await runner.die()
    monkeypatch.setattr(LAST_TIMESTAMP, None)
    tally.open_gate()
    await reap(platform)
    async with living_runner(settings, "runner-2"):
        after = await in_status(platform, execution_id, ExecutionStatus.COMPLETED)
    [head] = await select(
        platform.database,
        "SELECT max(checkpoint_id) AS id FROM checkpoints WHERE thread_id = :thread",
        thread=str(after.thread_id),
    )
    assert after.checkpoint_id == head["id"]


async def test_the_old_run_is_lost_and_the_new_one_says_whose_it_is(
    platform: Platform, workflow: Workflow, runner: LivingRunner, tally: Tally
) -> None:
    execution_id = await submit(platform, workflow, tally)
    await tally.reached("x second")
    await runner.die()
    await reap(platform)
    runs = await select(platform.database, "SELECT * FROM wtb_runs ORDER BY position")
    assert [(run["status"], run["attempt"]) for run in runs] == [("lost", 1), ("pending", 2)]
    [audited] = await select(
        platform.database,
        "SELECT actor, status_before, status_after FROM wtb_audit_log"
        " WHERE action = 'ExecutionTakenOver' AND aggregate_id = :id",
        id=execution_id,
    )
    assert tuple(audited.values()) == ("reaper", "running", "running")
    [event] = await select(
        platform.database, "SELECT data FROM wtb_outbox WHERE type = 'ExecutionTakenOver'"
    )
    assert event["data"] == {"pool": "default", "attempt": 2}


async def test_a_runner_that_still_beats_is_not_reaped(
    platform: Platform, workflow: Workflow, runner: LivingRunner, tally: Tally
) -> None:
    await submit(platform, workflow, tally)
    await tally.reached("x second")
    assert await reap_lost_runners(platform.database.unit_of_work, lease_seconds=30) == 0
    assert not runner.task.done()


async def test_four_reapers_at_once_move_each_run_once(
    platform: Platform, workflow: Workflow, tally: Tally
) -> None:
    for number in range(10):
        await submit(platform, workflow, tally, f"run-{number}")
    dead = await register_runner(platform.database.unit_of_work)
    await claim(platform.database.unit_of_work, dead)
    moved = await asyncio.gather(*(reap(platform) for _ in range(4)))
    assert sum(moved) == 10
    rows = await select(
        platform.database, "SELECT status, attempt, count(*) AS n FROM wtb_runs GROUP BY 1, 2"
    )
    assert {tuple(row.values()) for row in rows} == {("lost", 1, 10), ("pending", 2, 10)}


async def test_a_run_that_somebody_holds_locked_is_taken_over_by_the_next_reaper(
    platform: Platform, workflow: Workflow, tally: Tally
) -> None:
    """Its settling was under way when the runner was declared lost, and came to nothing."""
    await submit(platform, workflow, tally)
    dead = await register_runner(platform.database.unit_of_work)
    [held] = await claim(platform.database.unit_of_work, dead)
    async with platform.database.unit_of_work() as uow:
        await uow.runs.settle(dead, [completed(held.id)])
        assert await reap(platform) == 0
    assert await reap(platform) == 1


async def test_after_the_last_attempt_the_execution_fails_with_runner_lost(
    platform: Platform, settings: Settings, workflow: Workflow, tally: Tally
) -> None:
    execution_id = await submit(platform, workflow, tally, max_attempts=2)
    for number in (1, 2):
        async with living_runner(settings, f"runner-{number}") as runner:

            async def began(times: int = number) -> bool:
                return tally.lines().count("x second") == times

            await eventually(began)
            await runner.die()
        assert await reap(platform) == 1
    execution = await read(platform, execution_id)
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {
        "type": "runner_lost",
        "message": "the runner was lost in each of 2 attempts",
        "node": None,
    }
    assert await reap(platform) == 0
    assert (await history(platform.database, execution_id))[-1] == (4, "ExecutionFailed")


async def test_a_last_attempt_that_waited_for_its_turn_is_not_charged(
    platform: Platform, workflow: Workflow, tally: Tally
) -> None:
    execution_id = await submit(platform, workflow, tally, max_attempts=2)
    for _ in range(3):
        runner = await register_runner(platform.database.unit_of_work)
        await claim(platform.database.unit_of_work, runner)
        assert await reap(platform) == 1
    assert (await read(platform, execution_id)).attempt == 2
    runner = await register_runner(platform.database.unit_of_work)
    [held] = await claim(platform.database.unit_of_work, runner)
    async with platform.database.unit_of_work() as uow:
        await uow.runners.note_alone(runner, held.id)
        await uow.commit()
    assert await reap(platform) == 1
    assert (await read(platform, execution_id)).status is ExecutionStatus.FAILED


async def test_a_late_settling_of_the_lost_runner_changes_nothing(
    platform: Platform, workflow: Workflow, tally: Tally
) -> None:
    execution_id = await submit(platform, workflow, tally)
    zombie = await register_runner(platform.database.unit_of_work)
    [held] = await claim(platform.database.unit_of_work, zombie)
    await reap(platform)
    before = await read(platform, execution_id)
    late = completed(held.id, "too late")
    assert await settle(platform.database.unit_of_work, zombie, late) == set()
    assert await read(platform, execution_id) == before


async def test_a_zombie_that_works_on_to_the_end_has_no_effect(
    platform: Platform, settings: Settings, workflow: Workflow, runner: LivingRunner, tally: Tally
) -> None:
    """Its heartbeat is slow to notice; meanwhile its graph reaches the end on the old thread."""
    execution_id = await submit(platform, workflow, tally)
    await tally.reached("x second")
    assert await reap(platform) == 1
    async with living_runner(settings, "runner-2"):

        async def both_are_at_it() -> bool:
            return tally.lines().count("x second") == 2

        await eventually(both_are_at_it)
        tally.open_gate()
        after = await in_status(platform, execution_id, ExecutionStatus.COMPLETED)

        async def both_are_through() -> bool:
            return tally.lines().count("x end") == 2

        await eventually(both_are_through)
        await runner.die()
    assert after.attempt == 2
    assert await history(platform.database, execution_id) == [
        (1, "ExecutionCreated"),
        (2, "ExecutionStarted"),
        (3, "ExecutionTakenOver"),
        (4, "ExecutionCompleted"),
    ]
    runs = await select(platform.database, "SELECT status FROM wtb_runs ORDER BY position")
    assert [run["status"] for run in runs] == ["lost", "completed"]


async def test_a_runner_that_learns_of_its_loss_ends_its_life(
    platform: Platform, settings: Settings, workflow: Workflow, tally: Tally
) -> None:
    quick = settings.model_copy(
        update={"runner": settings.runner.model_copy(update={"heartbeat_seconds": 0.05})}
    )
    async with living_runner(quick) as runner:
        await submit(platform, workflow, tally)
        await tally.reached("x second")
        await change(platform.database, "UPDATE wtb_runners SET status = 'lost'")
        with pytest.raises(LeaseLost, match="declared this runner lost"):
            await asyncio.wait_for(runner.task, PATIENCE_SECONDS)
        runner.live()
        tally.open_gate()
        await tally.reached("x end")


async def test_a_new_life_under_the_same_name_takes_over_at_once(
    platform: Platform, workflow: Workflow, runner: LivingRunner, tally: Tally
) -> None:
    execution_id = await submit(platform, workflow, tally)
    await tally.reached("x second")
    await runner.die()
    tally.open_gate()
    runner.live()
    after = await in_status(platform, execution_id, ExecutionStatus.COMPLETED)
    assert after.attempt == 2
    assert tally.lines() == ["x first", "x second", "x second", "x end"]
    lives = await select(
        platform.database,
        "SELECT name, status = 'alive' AS lives FROM wtb_runners ORDER BY started_at",
    )
    assert [tuple(life.values()) for life in lives] == [("runner-1", False), ("runner-1", True)]
    taken_over_by = """SELECT runner.status FROM wtb_audit_log JOIN wtb_runners AS runner
                       ON actor = 'runner:' || runner.id WHERE action = 'ExecutionTakenOver'"""
    assert await select(platform.database, taken_over_by) == [{"status": "alive"}]


async def test_a_last_attempt_after_losses_runs_alone(
    platform: Platform, settings: Settings, workflow: Workflow, tally: Tally
) -> None:
    tally.open_gate()
    names = ["one", "two", "last", "three", "four"]
    ids = [await submit(platform, workflow, tally, name) for name in names]
    await change(
        platform.database,
        "UPDATE wtb_runs SET attempt = 3 WHERE id ="
        " (SELECT run_id FROM wtb_executions WHERE id = :id)",
        id=ids[2],
    )
    async with living_runner(settings):
        for execution_id in ids:
            await in_status(platform, execution_id, ExecutionStatus.COMPLETED)
    lines = tally.lines()
    alone = [line for line in lines if line.startswith("last ")]
    assert alone == ["last first", "last second", "last end"]
    began = lines.index("last first")
    assert lines[began : began + 3] == alone
    assert {line.split()[0] for line in lines[:began]} == {"one", "two"}
