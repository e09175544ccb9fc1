"""Limits of a whole batch: so many runs at once and no more, and so many failures and no more."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from arranging import (
    change,
    claim,
    completed,
    history,
    register,
    register_runner,
    select,
    settle,
)
from controlled_batches import ControlledBatch, check_record, submit_batch
from redis.asyncio import Redis

from wtb_async.application.batches.release_runs import release_all_runs
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome, cancelled
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.application.runs.settler import Settler
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.execution import PauseReason, RunError
from wtb_async.domain.run import RunStatus

RUNS = """
SELECT count(*) FILTER (WHERE status = 'running') AS running,
       count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE status = 'waiting') AS waiting,
       count(*) FILTER (WHERE status = 'held') AS held
FROM wtb_runs
"""


async def limited(
    platform: Platform,
    cases: int,
    *,
    max_concurrency: int | None = None,
    max_failures: int | None = None,
) -> ControlledBatch:
    await register(platform.database.unit_of_work)
    return await submit_batch(
        platform,
        "letters",
        [{"do": ""}] * cases,
        max_concurrency=max_concurrency,
        max_failures=max_failures,
    )


async def runs(batch: ControlledBatch) -> dict[str, int]:
    """How many runs stand where, without those statuses that none has."""
    [row] = await select(batch.platform.database, RUNS)
    return {status: count for status, count in row.items() if count}


async def release(batch: ControlledBatch) -> None:
    platform = batch.platform
    await release_all_runs(uow_factory=platform.database.unit_of_work, nudges=platform.nudges)


def failed(run: ClaimedRun) -> RunOutcome:
    error = RunError("ValueError", "broken")
    return RunOutcome(run_id=run.id, status=RunStatus.FAILED, duration_ms=1.0, error=error)


async def test_runs_beyond_the_limit_wait_and_stand_in_nobody_s_way(platform: Platform) -> None:
    batch = await limited(platform, 6, max_concurrency=2)
    assert await runs(batch) == {"pending": 2, "waiting": 4}
    other = await submit_batch(platform, "letters", [{"do": ""}] * 3)
    runner = await register_runner(platform.database.unit_of_work)
    claimed = await claim(platform.database.unit_of_work, runner)
    assert [run.batch_test_id for run in claimed] == [batch.id] * 2 + [other.id] * 3


async def test_each_run_that_ends_gives_its_place_to_the_next_one(
    platform: Platform, redis: Redis
) -> None:
    del redis
    batch = await limited(platform, 5, max_concurrency=2)
    runner = await register_runner(platform.database.unit_of_work)
    settler = Settler(runner, platform.database.unit_of_work, platform.nudges)
    order: list[UUID] = []
    while claimed := await batch.claim(runner):
        assert len(claimed) <= 2
        order += [run.execution_id for run in claimed]
        for run in claimed:
            settler.put(completed(run.id))
        await settler.settle_rest()
    assert order == [row["id"] for row in await batch.executions()]
    await batch.relay()
    assert await batch.stands() == ("completed", None)


async def test_places_that_nobody_gave_away_are_found_again(platform: Platform) -> None:
    batch = await limited(platform, 3, max_concurrency=1)
    runner = await register_runner(platform.database.unit_of_work)
    [run] = await batch.claim(runner)
    await settle(platform.database.unit_of_work, runner, completed(run.id))
    assert await batch.claim(runner) == []
    await release(batch)
    assert len(await batch.claim(runner)) == 1


async def test_the_successor_of_a_lost_run_keeps_its_place(platform: Platform) -> None:
    batch = await limited(platform, 3, max_concurrency=1)
    runner = await register_runner(platform.database.unit_of_work)
    await batch.claim(runner)
    await change(platform.database, "UPDATE wtb_runners SET heartbeat_at = to_timestamp(0)")
    assert await reap_lost_runners(platform.database.unit_of_work, lease_seconds=30) == 1
    await release(batch)
    assert await runs(batch) == {"pending": 1, "waiting": 2}
    again = await batch.claim(await register_runner(platform.database.unit_of_work, "runner-2"))
    assert [run.attempt for run in again] == [2]


async def test_a_place_is_free_again_when_its_execution_is_stopped_before_it_began(
    platform: Platform,
) -> None:
    batch = await limited(platform, 3, max_concurrency=1)
    first, second, _ = await batch.executions()
    await batch.stop_one(second["id"])
    assert await runs(batch) == {"pending": 1, "waiting": 1}
    await batch.stop_one(first["id"])
    assert await runs(batch) == {"pending": 1}


async def test_an_execution_that_is_resumed_alone_waits_for_a_place_too(
    platform: Platform,
) -> None:
    batch = await limited(platform, 2, max_concurrency=1)
    runner = await register_runner(platform.database.unit_of_work)
    [run] = await batch.claim(runner)
    await settle(platform.database.unit_of_work, runner, failed(run))
    await release(batch)
    await batch.resume_one(run.execution_id)
    assert await runs(batch) == {"pending": 1, "waiting": 1}


async def test_a_limited_batch_goes_on_within_its_limit_after_a_pause_and_after_a_stop(
    platform: Platform,
) -> None:
    batch = await limited(platform, 6, max_concurrency=2)
    runner = await register_runner(platform.database.unit_of_work)
    await batch.pause()
    assert await runs(batch) == {"held": 6}
    await release(batch)
    assert await batch.claim(runner) == []
    await batch.resume()
    assert await runs(batch) == {"pending": 2, "waiting": 4}
    await batch.stop()
    assert await runs(batch) == {}
    await batch.resume()
    assert await runs(batch) == {"pending": 2, "waiting": 4}
    await check_record(batch)


@dataclass
class Crowd:
    """Runners that claim and settle one batch at random, and never see more of it running."""

    batch: ControlledBatch
    limit: int
    dice: random.Random
    most: int = 0
    ends: list[UUID] = field(default_factory=list)

    async def work(self, name: str) -> None:
        factory = self.batch.platform.database.unit_of_work
        runner = await register_runner(factory, name)
        settler = Settler(runner, factory, self.batch.platform.nudges)
        held: list[ClaimedRun] = []
        while await self._goes_on() or held:
            held += await self.batch.claim(runner, self.dice.randint(1, 4))
            await self._look()
            self.dice.shuffle(held)
            ended, held = self._split(held)
            for run in ended:
                settler.put(self._outcome(run))
            await settler.settle_rest()
            await self._look()

    async def command(self) -> None:
        """Pause, resume, stop and retry at random; what is refused is refused."""
        batch = self.batch
        for _ in range(20):
            command = self.dice.choice(
                [batch.pause, batch.resume, batch.resume, batch.stop, batch.retry_failed]
            )
            try:
                await command()
            except InvalidTransition:
                await batch.relay()
            await self._look()
            await asyncio.sleep(self.dice.uniform(0, 0.02))

    async def tend(self) -> None:
        """Relay and release, as the beat has it done, until the batch is completed."""
        while (stands := await self.batch.stands()) != ("completed", None):
            await self.batch.relay()
            await release(self.batch)
            await self._look()
            if stands in {("paused", None), ("cancelled", None)}:
                with suppress(InvalidTransition):  # Somebody else was quicker.
                    await self.batch.resume()

    def _split(self, held: list[ClaimedRun]) -> tuple[list[ClaimedRun], list[ClaimedRun]]:
        at = self.dice.randint(0, len(held))
        return held[:at], held[at:]

    def _outcome(self, run: ClaimedRun) -> RunOutcome:
        self.ends.append(run.execution_id)
        match self.dice.randint(0, 9):
            case 0:
                return cancelled(run)
            case 1:
                return failed(run)
            case 2:
                return RunOutcome(
                    run_id=run.id,
                    status=RunStatus.PAUSED,
                    duration_ms=1.0,
                    pause_reason=PauseReason.BATCH,
                )
        return completed(run.id)

    async def _look(self) -> None:
        found = await runs(self.batch)
        self.most = max(self.most, found.get("running", 0) + found.get("pending", 0))
        assert self.most <= self.limit

    async def _goes_on(self) -> bool:
        return await self.batch.stands() != ("completed", None)


@pytest.mark.parametrize("seed", range(3))
async def test_no_more_than_the_limit_runs_whoever_claims_settles_and_commands(
    platform: Platform, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - disorder, not a secret
    limit = dice.randint(1, 5)
    batch = await limited(platform, 40, max_concurrency=limit)
    crowd = Crowd(batch, limit, dice)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(crowd.work(f"runner-{number}"))
        group.create_task(crowd.command())
        group.create_task(crowd.tend())
    assert crowd.most == limit
    assert set(crowd.ends) == {row["id"] for row in await batch.executions()}
    assert await runs(batch) == {}
    await check_record(batch)


async def test_a_batch_is_given_up_when_more_than_so_many_executions_have_failed(
    platform: Platform,
) -> None:
    batch = await limited(platform, 8, max_failures=1)
    runner = await register_runner(platform.database.unit_of_work)
    one, two, three, four = await batch.claim(runner, 4)
    await batch.settle(runner, failed(one), completed(two.id))
    assert await batch.stands() == ("running", None)
    await batch.settle(runner, failed(three))
    assert await batch.stands() == ("running", "failed")
    assert await batch.counts() == {"completed": 1, "failed": 2, "running": 1, "cancelled": 4}
    await batch.settle(runner, cancelled(four))
    view = await batch.view()
    assert (view.status, view.becomes) == ("failed", None)
    assert view.error == {
        "type": "TooManyFailures",
        "message": "limits.max_failures is 1, and more executions have failed",
    }
    kinds = [kind for _, kind in await history(platform.database, batch.id)]
    assert kinds[-2:] == ["BatchGivenUp", "BatchFailed"]
    await check_record(batch)


async def test_a_batch_whose_last_executions_fail_is_not_completed_but_failed(
    platform: Platform,
) -> None:
    batch = await limited(platform, 2, max_failures=0)
    runner = await register_runner(platform.database.unit_of_work)
    claimed = await batch.claim(runner)
    await batch.settle(runner, *(failed(run) for run in claimed))
    assert await batch.stands() == ("failed", None)
    await check_record(batch)


async def test_a_batch_that_was_given_up_goes_on_in_spite_of_what_has_failed(
    platform: Platform,
) -> None:
    batch = await limited(platform, 4, max_failures=0)
    runner = await register_runner(platform.database.unit_of_work)
    [first] = await batch.claim(runner, 1)
    await batch.settle(runner, failed(first))
    await batch.resume()
    assert await batch.stands() == ("running", None)
    assert (await batch.view()).error is None
    claimed = await batch.claim(runner)
    assert len(claimed) == 3
    await batch.settle(runner, completed(claimed[0].id))
    assert await batch.stands() == ("running", None)
    await batch.settle(runner, failed(claimed[1]), completed(claimed[2].id))
    assert await batch.stands() == ("failed", None)
    await batch.retry_failed()
    again = await batch.claim(runner)
    await batch.settle(runner, *(completed(run.id) for run in again))
    assert await batch.stands() == ("completed", None)
    assert await batch.counts() == {"completed": 4}
    await check_record(batch)
