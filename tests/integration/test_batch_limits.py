"""Limits of a whole batch: so many runs at once and no more, and so many failures and no more."""

from uuid import UUID

from arranging import (
    change,
    claim,
    completed,
    history,
    register,
    register_runner,
    settle,
)
from controlled_batches import ControlledBatch, check_record, failed, submit_batch
from redis.asyncio import Redis

from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.extend_batch_test import ExtendBatchTest, extend_batch_test
from wtb_async.application.runs.claims import cancelled
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.application.runs.settler import Settler
from wtb_async.bootstrap.platform import Platform


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


async def test_runs_beyond_the_limit_wait_and_stand_in_nobody_s_way(platform: Platform) -> None:
    batch = await limited(platform, 6, max_concurrency=2)
    assert await batch.runs() == {"pending": 2, "waiting": 4}
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
    settler = Settler(runner, platform.database.unit_of_work, platform.nudges, pool="default")
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
    await batch.release()
    assert len(await batch.claim(runner)) == 1


async def test_the_successor_of_a_lost_run_keeps_its_place(platform: Platform) -> None:
    batch = await limited(platform, 3, max_concurrency=1)
    runner = await register_runner(platform.database.unit_of_work)
    await batch.claim(runner)
    await change(platform.database, "UPDATE wtb_runners SET heartbeat_at = to_timestamp(0)")
    assert await reap_lost_runners(platform.database.unit_of_work, lease_seconds=30) == 1
    await batch.release()
    assert await batch.runs() == {"pending": 1, "waiting": 2}
    again = await batch.claim(await register_runner(platform.database.unit_of_work, "runner-2"))
    assert [run.attempt for run in again] == [2]


async def test_a_place_is_free_again_when_its_execution_is_stopped_before_it_began(
    platform: Platform,
) -> None:
    batch = await limited(platform, 3, max_concurrency=1)
    first, second, _ = await batch.executions()
    await batch.stop_one(second["id"])
    assert await batch.runs() == {"pending": 1, "waiting": 1}
    await batch.stop_one(first["id"])
    assert await batch.runs() == {"pending": 1}


async def test_an_execution_that_is_resumed_alone_waits_for_a_place_too(
    platform: Platform,
) -> None:
    batch = await limited(platform, 2, max_concurrency=1)
    runner = await register_runner(platform.database.unit_of_work)
    [run] = await batch.claim(runner)
    await settle(platform.database.unit_of_work, runner, failed(run))
    await batch.release()
    await batch.resume_one(run.execution_id)
    assert await batch.runs() == {"pending": 1, "waiting": 1}


async def test_a_limited_batch_goes_on_within_its_limit_after_a_pause_and_after_a_stop(
    platform: Platform,
) -> None:
    batch = await limited(platform, 6, max_concurrency=2)
    runner = await register_runner(platform.database.unit_of_work)
    await batch.pause()
    assert await batch.runs() == {"held": 6}
    await batch.release()
    assert await batch.claim(runner) == []
    await batch.resume()
    assert await batch.runs() == {"pending": 2, "waiting": 4}
    await batch.stop()
    assert await batch.runs() == {}
    await batch.resume()
    assert await batch.runs() == {"pending": 2, "waiting": 4}
    await check_record(batch)


async def test_what_joins_a_limited_batch_waits_for_a_place(platform: Platform) -> None:
    batch = await limited(platform, 3, max_concurrency=2)
    await batch.claim(await register_runner(platform.database.unit_of_work))
    await extend_batch_test(
        ExtendBatchTest(
            batch_test_id=batch.id,
            variant_matrix=None,
            exclude=(),
            cases=CaseChoice(),
            repetitions=2,
            max_executions=100,
            caller="me",
        ),
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    assert await batch.runs() == {"running": 2, "waiting": 4}


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
