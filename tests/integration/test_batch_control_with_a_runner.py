"""Whole batches under control while a real runner executes them."""

import asyncio
import random
from collections import Counter

import pytest
from arranging import eventually
from controlled_batches import ControlledBatch, check_record, submit_batch
from controlling import Stations, a_moment
from living_runner import LivingRunner

from wtb_async.application.batches.release_runs import release_all_runs
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.execution import ExecutionStatus

CASES = 3


async def begin(
    stations: Stations, *tasks: dict[str, str], max_concurrency: int | None = None
) -> ControlledBatch:
    """A batch of executions whose nodes have these tasks."""
    inputs = [{"tasks": each, "folder": str(stations.folder), "seen": []} for each in tasks]
    return await submit_batch(
        stations.platform, "stations", inputs, max_concurrency=max_concurrency
    )


async def nodes_seen(batch: ControlledBatch) -> list[list[str]]:
    return [row["output"]["seen"] for row in await batch.executions()]


async def test_a_batch_pauses_at_the_next_boundaries_and_ends_as_if_it_never_had(
    stations: Stations, stations_runner: LivingRunner
) -> None:
    batch = await begin(stations, *[{"b": "hold"}] * CASES)
    await stations.until_visited("b", CASES)
    await batch.pause()
    await stations_runner.until_asked()
    stations.release("b")
    await batch.when(BatchStatus.PAUSED)
    rows = await batch.executions()
    assert {(row["status"], row["pause_reason"]) for row in rows} == {("paused", "batch")}
    assert Counter(stations.visits()) == {"a": CASES, "b": CASES}
    await batch.resume()
    await batch.when(BatchStatus.COMPLETED)
    assert await nodes_seen(batch) == [["a", "b", "c", "d"]] * CASES
    assert Counter(stations.visits()) == dict.fromkeys("abcd", CASES)
    await check_record(batch)


@pytest.mark.usefixtures("stations_runner")
async def test_a_stopped_batch_goes_on_from_its_checkpoints(stations: Stations) -> None:
    batch = await begin(stations, {}, {"b": "hold"}, {"b": "hold", "c": "fail"})
    await stations.until_visited("b", CASES)
    await stations.until_visited("d")
    await batch.stop()
    stations.release("b")
    await batch.when(BatchStatus.CANCELLED)
    assert await batch.counts() == {"completed": 1, "cancelled": 2}
    await batch.resume()
    await batch.when(BatchStatus.COMPLETED)
    assert await batch.counts() == {"completed": 2, "failed": 1}
    (stations.folder / "mended").touch()
    await batch.retry_failed()
    await batch.when(BatchStatus.COMPLETED)
    assert await nodes_seen(batch) == [["a", "b", "c", "d"]] * CASES
    assert Counter(stations.visits()) == {"a": 3, "b": 3, "c": 4, "d": 3}
    await check_record(batch)


@pytest.mark.usefixtures("stations_runner")
async def test_a_question_that_was_open_when_its_batch_was_stopped_is_asked_again(
    stations: Stations,
) -> None:
    batch = await begin(stations, {"b": "ask"})
    [row] = await batch.executions()
    asked = await stations.when(row["id"], ExecutionStatus.PAUSED)
    await batch.stop()
    assert await batch.stands() == ("cancelled", None)
    await batch.resume()
    again = await stations.when(row["id"], ExecutionStatus.PAUSED)
    assert again.interrupts == asked.interrupts
    await stations.resume(row["id"], answers="yes")
    await batch.when(BatchStatus.COMPLETED)
    assert await nodes_seen(batch) == [["a", "b:yes", "c", "d"]]


async def test_a_pause_is_heard_of_even_if_its_hint_is_lost(
    stations: Stations, stations_runner: LivingRunner
) -> None:
    stations_runner.deaf = True
    batch = await begin(stations, {"b": "hold"})
    await stations.until_visited("b")
    await batch.pause()
    stations_runner.deaf = False
    stations_runner.heed()
    await a_moment()
    stations.release("b")
    await batch.when(BatchStatus.PAUSED)


@pytest.mark.usefixtures("stations_runner")
async def test_a_runner_with_free_slots_leaves_them_free_beyond_the_limit(
    stations: Stations,
) -> None:
    batch = await begin(stations, *[{"b": "hold"}] * 5, max_concurrency=2)
    other = await begin(stations, {})
    await stations.until_visited("b", 2)
    await other.when(BatchStatus.COMPLETED)
    assert Counter(stations.visits())["a"] == 2 + 1
    assert await batch.counts() == {"running": 2, "pending": 3}
    stations.release("b")
    await batch.when(BatchStatus.COMPLETED)
    assert await nodes_seen(batch) == [["a", "b", "c", "d"]] * 5


@pytest.mark.parametrize("limit", [None, 3])
async def test_commands_that_race_runners_that_die_lose_no_execution(
    stations: Stations, stations_runner: LivingRunner, limit: int | None
) -> None:
    batch = await begin(stations, *[{}] * 24, max_concurrency=limit)
    dice = random.Random(limit)  # noqa: S311 - disorder, not a secret
    async with asyncio.TaskGroup() as group:
        group.create_task(_command(batch, dice))
        group.create_task(_die_and_come_back(stations_runner))
    database = stations.platform.database

    async def completed() -> bool:
        await reap_lost_runners(database.unit_of_work, lease_seconds=30)
        nudges = stations.platform.nudges
        await release_all_runs(uow_factory=database.unit_of_work, nudges=nudges)
        await batch.relay()
        status, becomes = await batch.stands()
        if status in ("paused", "cancelled") or becomes == "paused":
            await batch.resume()
        return status == BatchStatus.COMPLETED

    await eventually(completed)
    rows = await batch.executions()
    assert {row["status"] for row in rows} == {ExecutionStatus.COMPLETED}
    assert await nodes_seen(batch) == [["a", "b", "c", "d"]] * 24
    await check_record(batch)


async def _command(batch: ControlledBatch, dice: random.Random) -> None:
    accepted = refused = 0
    for _ in range(30):
        command = dice.choice([batch.pause, batch.pause, batch.resume, batch.resume, batch.stop])
        try:
            await command()
        except InvalidTransition:
            refused += 1
        else:
            accepted += 1
        await batch.relay()
        await asyncio.sleep(dice.uniform(0, 0.03))
    assert min(accepted, refused) > 0


async def _die_and_come_back(runner: LivingRunner) -> None:
    for _ in range(3):
        await asyncio.sleep(0.2)
        await runner.die()
        await asyncio.sleep(0.1)
        runner.live()
