"""Commands on whole batches that race claims, settlings and each other."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from arranging import completed, register, register_runner, settle
from controlled_batches import ControlledBatch, check_record, failed, paused, submit_batch

from wtb_async.application.runs.claims import ClaimedRun, RunOutcome, cancelled
from wtb_async.application.runs.settler import Settler
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import InvalidTransition

ROUNDS = 5


async def begin(
    platform: Platform, cases: int, *, max_concurrency: int | None = None
) -> ControlledBatch:
    inputs = [{"do": ""}] * cases
    return await submit_batch(platform, "letters", inputs, max_concurrency=max_concurrency)


async def test_a_stop_and_settlings_at_once_leave_nothing_behind(platform: Platform) -> None:
    await register(platform.database.unit_of_work)
    factory = platform.database.unit_of_work
    runners = [await register_runner(factory, name) for name in "ab"]
    for _ in range(ROUNDS):
        batch = await begin(platform, 30)
        shares = [await batch.claim(runner, 10) for runner in runners]
        await asyncio.gather(
            batch.stop(),
            *(
                settle(factory, runner, *(completed(run.id) for run in reversed(share)))
                for runner, share in zip(runners, shares, strict=True)
            ),
        )
        await batch.relay()
        assert await batch.stands() == ("cancelled", None)
        assert await batch.counts() == {"completed": 20, "cancelled": 10}
        await check_record(batch)


async def test_a_pause_and_claims_at_once_hold_or_ask_every_run(platform: Platform) -> None:
    await register(platform.database.unit_of_work)
    factory = platform.database.unit_of_work
    runners = [await register_runner(factory, name) for name in "abc"]
    for _ in range(ROUNDS):
        batch = await begin(platform, 30)
        pausing = asyncio.create_task(batch.pause())
        shares = await asyncio.gather(*(batch.claim(runner, 8) for runner in runners))
        await pausing
        rows = await batch.executions()
        asked = {row["run_id"] for row in rows if (row["request"] or {}).get("of_batch")}
        assert asked == {run.id for share in shares for run in share}
        assert {row["run_status"] for row in rows if row["run_id"] not in asked} <= {"held"}
        for runner, share in zip(runners, shares, strict=True):
            if share:
                await batch.settle(runner, *(paused(run) for run in share))
        assert await batch.stands() == ("paused", None)
        await batch.stop()
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
        settler = Settler(runner, factory, self.batch.platform.nudges, pool="default")
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
            await self.batch.release()
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
                return paused(run)
        return completed(run.id)

    async def _look(self) -> None:
        found = await self.batch.runs()
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
    await register(platform.database.unit_of_work)
    batch = await begin(platform, 40, max_concurrency=limit)
    crowd = Crowd(batch, limit, dice)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(crowd.work(f"runner-{number}"))
        group.create_task(crowd.command())
        group.create_task(crowd.tend())
    assert crowd.most == limit
    assert set(crowd.ends) == {row["id"] for row in await batch.executions()}
    assert await batch.runs() == {}
    await check_record(batch)
