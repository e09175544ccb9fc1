"""Commands on batches with evaluators: scores are waited for, and forgotten with their outcomes."""

from uuid import UUID

import pytest
from arranging import change, completed, register, register_runner
from controlled_batches import ControlledBatch, check_record, failed, paused, submit_batch

from wtb_async.application.batches.score_batch import score_batch
from wtb_async.application.runs.claims import cancelled
from wtb_async.bootstrap.platform import Platform
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

CASES = 4


@pytest.fixture
async def batch(platform: Platform) -> ControlledBatch:
    await register(platform.database.unit_of_work, "graded")
    inputs = [{"n": number} for number in range(CASES)]
    return await submit_batch(platform, "graded", inputs, evaluators=["wtb.latency"])


@pytest.fixture
async def runner(platform: Platform) -> UUID:
    return await register_runner(platform.database.unit_of_work)


async def score(batch: ControlledBatch) -> int:
    platform = batch.platform
    return await score_batch(
        batch.id,
        uow_factory=platform.database.unit_of_work,
        engine=platform.evaluation,
        nudges=platform.nudges,
    )


async def scores(batch: ControlledBatch) -> list[dict[str, bool | float]]:
    queries = BatchTestQueries(batch.platform.database.engine)
    page = await queries.results(batch.id, limit=100, cursor=None)
    return [row.scores for row in page.items]


async def test_a_stopped_batch_ends_when_what_was_completed_is_scored(
    batch: ControlledBatch, runner: UUID
) -> None:
    first, second = await batch.claim(runner, 2)
    await batch.settle(runner, completed(first.id))
    await batch.stop()
    await batch.settle(runner, cancelled(second))
    assert await batch.stands() == ("running", "cancelled")
    assert await score(batch) == 2, "what was cancelled before it began has nothing to score"
    assert await batch.stands() == ("cancelled", None)
    assert await scores(batch) == [{"wtb.latency": 1.5}, {}, {}, {}]
    await check_record(batch)


async def test_a_batch_that_ended_while_it_was_to_be_paused_is_completed_with_its_last_score(
    batch: ControlledBatch, runner: UUID
) -> None:
    runs = await batch.claim(runner)
    await batch.pause()
    await batch.settle(runner, *(completed(run.id) for run in runs))
    assert await batch.stands() == ("running", "paused")
    await score(batch)
    assert await batch.stands() == ("completed", None)


async def test_a_paused_batch_is_scored_as_far_as_it_came(
    batch: ControlledBatch, runner: UUID
) -> None:
    first, second = await batch.claim(runner, 2)
    await batch.pause()
    await batch.settle(runner, completed(first.id), paused(second))
    assert await batch.stands() == ("paused", None)
    assert await score(batch) == 1
    assert await batch.stands() == ("paused", None)


async def test_a_paused_batch_that_is_stopped_ends_although_its_scorer_died(
    batch: ControlledBatch, runner: UUID
) -> None:
    first, second = await batch.claim(runner, 2)
    await batch.pause()
    await batch.settle(runner, completed(first.id), paused(second))
    database = batch.platform.database
    async with database.unit_of_work() as uow:
        assert len(await uow.scores.claim(batch.id, CASES, 60.0)) == 1
        await uow.commit()
    await batch.stop()
    assert await batch.stands() == ("paused", "cancelled")
    await change(database, "UPDATE wtb_executions SET scoring_until = clock_timestamp()")
    async with database.unit_of_work() as uow:
        assert await uow.batch_tests.unfinished(0.0) == [batch.id]
    assert await score(batch) == 1
    assert await batch.stands() == ("cancelled", None)


async def test_scores_of_outcomes_that_are_tried_again_are_forgotten(
    batch: ControlledBatch, runner: UUID
) -> None:
    first, *others = await batch.claim(runner)
    await batch.settle(runner, failed(first), *(completed(run.id) for run in others))
    assert await score(batch) == CASES
    assert await batch.stands() == ("completed", None)
    await batch.retry_failed()
    [again] = await batch.claim(runner)
    assert await score(batch) == 0
    await batch.settle(runner, completed(again.id))
    assert await score(batch) == 1
    assert await scores(batch) == [{"wtb.latency": 2.5}, *[{"wtb.latency": 1.5}] * 3]
    assert await batch.stands() == ("completed", None)
    await check_record(batch)
