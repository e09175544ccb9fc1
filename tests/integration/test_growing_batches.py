"""Batch tests that grow: only what is new is run and scored, whoever asks at the same time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from arranging import change, completed, eventually, history, select, waiting
from growing import RIGHT, GrowingBatch, cases, submit_growing

from wtb_async.application.runs.claims import RunOutcome
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.execution import RunError
from wtb_async.domain.run import RunStatus


async def test_a_finished_batch_runs_and_scores_only_its_new_cases(platform: Platform) -> None:
    batch = await submit_growing(platform, "a", "b")
    before = {run.execution_id for run in await batch.run_all()}
    assert (await batch.view()).status.value == "completed"
    await batch.extend(test_cases=cases("b", "c"))
    view = await batch.view()
    assert (view.status.value, view.finished_at) == ("running", None)
    assert (view.counts.total, view.counts.pending) == (3, 1)
    [run] = await batch.run_all()
    assert run.execution_id not in before
    assert run.input == {"key": "c"}
    assert run.limits.max_attempts == 2
    results = await batch.results()
    assert [row.test_case_id for row in results] == ["a", "b", "c"]
    assert [row.scores for row in results] == [{"wtb.exact_match": True}] * 3
    assert (await batch.view()).status.value == "completed"
    assert await history(platform.database, batch.id) == [
        (1, "BatchCreated"),
        (2, "BatchStarted"),
        (3, "BatchCompleted"),
        (4, "BatchExtended"),
        (5, "BatchCompleted"),
    ]


async def test_more_repetitions_and_cases_complete_the_product(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    await batch.run_all()
    await batch.extend(test_cases=cases("b"), repetitions=2)
    runs = await batch.run_all()
    assert len(runs) == 3
    rows = [(row.test_case_id, row.repetition) for row in await batch.results()]
    assert rows == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


async def test_growing_does_not_restart_what_failed(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    [run] = await batch.claim()
    error = RunError("ValueError", "broken")
    await batch.end(RunOutcome(run_id=run.id, status=RunStatus.FAILED, duration_ms=1, error=error))
    assert (await batch.view()).status.value == "completed"
    await batch.extend(test_cases=cases("b"))
    [new] = await batch.run_all()
    assert new.execution_id != run.execution_id
    assert [row.status.value for row in await batch.results()] == ["failed", "completed"]


async def test_a_batch_grows_while_it_runs(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    [first] = await batch.claim()
    await batch.extend(test_cases=cases("b"))
    await batch.end(completed(first.id, RIGHT))
    assert (await batch.view()).status.value == "running"
    await batch.run_all()
    assert (await batch.view()).status.value == "completed"


async def test_a_batch_grows_before_it_has_begun(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    await batch.extend(repetitions=3)
    assert (await batch.view()).status.value == "pending"
    assert len(await batch.run_all()) == 3
    assert (await batch.view()).status.value == "completed"


async def test_the_same_growth_again_changes_nothing(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    await batch.run_all()
    await batch.extend(test_cases=cases("b"), repetitions=2)
    view = await batch.view()
    await batch.extend(test_cases=cases("b"), repetitions=2)
    assert await batch.view() == view


async def test_callers_at_the_same_time_add_everything_once(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    await batch.run_all()
    keys = [["b", "c"], ["c", "d"], ["d", "b"]]
    await asyncio.gather(
        *(batch.extend(test_cases=cases(*each)) for each in keys),
        *(batch.extend(repetitions=2) for _ in range(3)),
    )
    assert len(await batch.run_all()) == 7
    rows = {(row.test_case_id, row.repetition) for row in await batch.results()}
    assert rows == {(key, n) for key in "abcd" for n in range(2)}
    view = await batch.view()
    assert (view.counts.total, view.status.value) == (8, "completed")
    sequence = [number for number, _ in await history(platform.database, batch.id)]
    assert sequence == list(range(1, len(sequence) + 1))
    [positions] = await select(
        platform.database, "SELECT array_agg(position ORDER BY position) FROM wtb_test_cases"
    )
    assert positions["array_agg"] == [0, 1, 2, 3]


async def test_a_completion_that_waited_for_a_growth_leaves_the_batch_running(
    platform: Platform,
) -> None:
    batch = await submit_growing(platform, "a")
    [first] = await batch.claim()
    async with held_back(batch) as release:
        growing = asyncio.create_task(batch.extend(test_cases=cases("b")))
        await eventually(lambda: so_many_wait(platform, 1))
        await batch_ends(batch, first.id)
        completing = asyncio.create_task(batch.score())
        await eventually(lambda: so_many_wait(platform, 2))
        release()
        await asyncio.gather(growing, completing)
    assert (await batch.view()).status.value == "running"
    await batch.run_all()
    assert (await batch.view()).status.value == "completed"


async def batch_ends(batch: GrowingBatch, run_id: UUID) -> None:
    """Settle without looking at the batch, and say that the execution was scored."""
    async with batch.platform.database.unit_of_work() as uow:
        await uow.runs.settle(batch.runner_id, [completed(run_id, RIGHT)])
        await uow.commit()
    await change(batch.platform.database, "UPDATE wtb_executions SET scored_at = now()")


@asynccontextmanager
async def held_back(batch: GrowingBatch) -> AsyncIterator[Callable[[], None]]:
    """Lock the batch's row, so that callers queue up in a known order; answers the release."""
    released = asyncio.Event()
    locked = asyncio.Event()

    async def hold() -> None:
        async with batch.platform.database.unit_of_work() as uow:
            await uow.batch_tests.lock(batch.id)
            locked.set()
            await released.wait()

    holding = asyncio.create_task(hold())
    await locked.wait()
    yield released.set
    await holding


async def so_many_wait(platform: Platform, count: int) -> bool:
    """Whether so many transactions wait for a lock."""
    return await waiting(platform.database) == count


async def test_a_growth_that_cannot_be_accepted_changes_nothing(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    await batch.run_all()
    view, [known] = await batch.view(), cases("a")
    with pytest.raises(InvalidInput, match=r"test_cases: 1 read differently .*: a;"):
        await batch.extend(test_cases=[*cases("b"), replace(known, reference=None)])
    with pytest.raises(InvalidInput, match="3 executions; this server takes 2 per batch"):
        await batch.extend(test_cases=cases("b", "c"), most=2)
    with pytest.raises(InvalidInput, match="more than 10000 combinations"):
        await batch.extend(matrix={"first": [str(number) for number in range(10_001)]})
    assert await batch.view() == view
    assert await batch.claim() == []


@pytest.mark.parametrize("status", ["paused", "failed", "cancelled"])
async def test_a_batch_that_was_stopped_halfway_is_left_alone(
    platform: Platform, status: str
) -> None:
    batch = await submit_growing(platform, "a")
    await batch.run_all()
    await change(platform.database, "UPDATE wtb_batch_tests SET status = :status", status=status)
    with pytest.raises(InvalidTransition, match=f"a {status} batch test does not take"):
        await batch.extend(repetitions=2)
    assert (await batch.view()).counts.total == 1


async def test_a_growth_is_on_record_with_its_caller(platform: Platform) -> None:
    batch = await submit_growing(platform, "a")
    await batch.run_all()
    await batch.extend(test_cases=cases("b"))
    [command] = await select(
        platform.database,
        "SELECT id, issued_by, payload FROM wtb_commands WHERE kind = 'extend'",
    )
    assert command["issued_by"] == "test"
    assert (command["payload"]["added"], command["payload"]["test_cases"]) == (1, ["b"])
    [audit] = await select(
        platform.database,
        "SELECT actor, action, status_before, status_after FROM wtb_audit_log"
        " WHERE command_id = :id",
        id=command["id"],
    )
    assert tuple(audit.values()) == ("test", "BatchExtended", "completed", "running")
    [event] = await select(
        platform.database, "SELECT data FROM wtb_outbox WHERE type = 'BatchExtended'"
    )
    assert event["data"] == {"pool": "default", "added": 1, "total": 2}
