"""Stop, pause, resume and retry of a whole batch: every execution of it, and no other."""

from uuid import UUID

import pytest
from arranging import completed, history, register, register_runner, select
from controlled_batches import ControlledBatch, check_record, failed, paused, submit_batch

from wtb_async.application.ids import new_id
from wtb_async.application.runs.claims import RunOutcome, cancelled
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import InvalidTransition, NotFound
from wtb_async.domain.execution import PauseReason, RunError
from wtb_async.domain.run import RunStatus

CASES = 6


@pytest.fixture
async def batch(platform: Platform) -> ControlledBatch:
    await register(platform.database.unit_of_work)
    return await submit_batch(platform, "letters", [{"do": ""}] * CASES)


@pytest.fixture
async def runner(platform: Platform) -> UUID:
    return await register_runner(platform.database.unit_of_work)


async def test_a_stop_cancels_what_no_runner_has_and_asks_for_the_rest(
    batch: ControlledBatch, runner: UUID
) -> None:
    one, two, three = await batch.claim(runner, 3)
    await batch.settle(runner, completed(one.id), paused(two, PauseReason.INTERRUPT))
    await batch.stop()
    assert await batch.stands() == ("running", "cancelled")
    assert await batch.counts() == {"completed": 1, "cancelled": 4, "running": 1}
    [asked] = [row for row in await batch.executions() if row["status"] == "running"]
    assert (asked["run_id"], asked["request"]["kind"]) == (three.id, "stop")
    assert await batch.claim(runner) == []
    await batch.settle(runner, cancelled(three))
    view = await batch.view()
    assert (view.status, view.becomes) == ("cancelled", None)
    assert view.finished_at is not None
    await check_record(batch)


async def test_a_batch_of_which_nothing_runs_is_cancelled_at_once(batch: ControlledBatch) -> None:
    await batch.stop()
    assert await batch.stands() == ("cancelled", None)
    assert await batch.counts() == {"cancelled": CASES}
    kinds = [kind for _, kind in await history(batch.platform.database, batch.id)]
    assert kinds == ["BatchCreated", "BatchStopRequested", "BatchCancelled"]
    await batch.relay()
    await check_record(batch)


async def test_a_paused_batch_holds_back_its_runs_and_has_the_others_paused(
    batch: ControlledBatch, runner: UUID
) -> None:
    runs = await batch.claim(runner, 2)
    await batch.pause()
    assert await batch.claim(runner) == []
    assert await batch.stands() == ("running", "paused")
    requests = [row["request"] for row in await batch.executions() if row["status"] == "running"]
    assert requests == [{"kind": "pause", "at_node": None, "of_batch": True}] * 2
    await batch.settle(runner, paused(runs[0]))
    assert await batch.stands() == ("running", "paused")
    await batch.settle(runner, paused(runs[1]))
    assert await batch.stands() == ("paused", None)
    assert await batch.counts() == {"pending": 4, "paused": 2}
    await check_record(batch)


async def test_exactly_what_the_batch_held_up_goes_on_when_it_is_resumed(
    batch: ControlledBatch, runner: UUID
) -> None:
    mine, at_breakpoint, theirs, done = await batch.claim(runner, 4)
    await batch.pause_one(mine.execution_id)
    await batch.pause()
    await batch.settle(
        runner,
        paused(mine, PauseReason.COMMAND),
        paused(at_breakpoint, PauseReason.BREAKPOINT),
        paused(theirs),
        completed(done.id),
    )
    assert await batch.stands() == ("paused", None)
    await batch.resume()
    assert await batch.stands() == ("running", None)
    claimed = await batch.claim(runner)
    rows = {row["id"]: row for row in await batch.executions()}
    assert [rows[each.execution_id]["status"] for each in (mine, at_breakpoint)] == ["paused"] * 2
    assert len(claimed) == 3
    [again] = [run for run in claimed if run.execution_id == theirs.execution_id]
    assert (again.from_checkpoint_id, again.thread_id) == ("c-1", theirs.thread_id)
    assert (again.timeline_id, again.attempt, again.resumes) == (theirs.timeline_id, 1, True)
    await check_record(batch)


async def test_a_batch_that_has_not_started_is_paused_at_once_and_can_go_on(
    batch: ControlledBatch, runner: UUID
) -> None:
    await batch.pause()
    assert await batch.stands() == ("paused", None)
    assert await batch.claim(runner) == []
    await batch.resume()
    assert (await batch.view()).started_at is not None
    assert len(await batch.claim(runner)) == CASES
    await check_record(batch)


async def test_a_pause_is_taken_back_from_runs_that_have_not_paused_yet(
    batch: ControlledBatch, runner: UUID
) -> None:
    runs = await batch.claim(runner)
    await batch.pause()
    await batch.resume()
    assert [row["request"] for row in await batch.executions()] == [None] * CASES
    await batch.settle(runner, *(completed(run.id) for run in runs))
    assert await batch.stands() == ("completed", None)
    await check_record(batch)


async def test_an_execution_that_paused_when_its_batch_went_on_already_goes_on_too(
    batch: ControlledBatch, runner: UUID
) -> None:
    late, *others = await batch.claim(runner)
    await batch.pause()
    await batch.resume()
    await batch.settle(runner, paused(late), *(completed(run.id) for run in others))
    [again] = await batch.claim(runner)
    assert again.execution_id == late.execution_id
    await batch.settle(runner, completed(again.id))
    assert await batch.stands() == ("completed", None)
    await check_record(batch)


async def test_a_batch_that_ends_instead_of_pausing_is_completed(
    batch: ControlledBatch, runner: UUID
) -> None:
    runs = await batch.claim(runner)
    await batch.pause()
    await batch.settle(runner, *(completed(run.id) for run in runs))
    assert await batch.stands() == ("completed", None)


async def test_executions_that_somebody_paused_keep_their_batch_running(
    batch: ControlledBatch, runner: UUID
) -> None:
    first, *others = await batch.claim(runner)
    await batch.settle(
        runner, paused(first, PauseReason.COMMAND), *(completed(run.id) for run in others)
    )
    assert await batch.stands() == ("running", None)


async def test_a_stopped_batch_goes_on_with_all_that_was_cancelled(
    batch: ControlledBatch, runner: UUID
) -> None:
    done, stopped, broken = await batch.claim(runner, 3)
    await batch.settle(runner, completed(done.id), failed(broken))
    await batch.stop()
    await batch.settle(runner, cancelled(stopped))
    await batch.resume()
    assert await batch.stands() == ("running", None)
    claimed = await batch.claim(runner)
    assert len(claimed) == CASES - 2
    again = next(run for run in claimed if run.execution_id == stopped.execution_id)
    assert again.thread_id != stopped.thread_id, "a runner may still write to the old one"
    assert (again.timeline_id, again.resumes) == (stopped.timeline_id, True)
    fresh = [run for run in claimed if run is not again]
    assert not any(run.resumes for run in fresh)
    assert await batch.counts() == {"completed": 1, "failed": 1, "running": CASES - 2}
    await batch.settle(runner, *(completed(run.id) for run in claimed))
    assert await batch.stands() == ("completed", None)
    await check_record(batch)


@pytest.mark.parametrize("done", [False, True], ids=["a running batch", "a completed batch"])
async def test_failed_executions_are_tried_again_from_their_last_checkpoint(
    batch: ControlledBatch, runner: UUID, *, done: bool
) -> None:
    first, second, *others = await batch.claim(runner)
    await batch.settle(runner, failed(first), failed(second))
    if done:
        await batch.settle(runner, *(completed(run.id) for run in others))
        assert await batch.stands() == ("completed", None)
    await batch.retry_failed()
    assert await batch.stands() == ("running", None)
    again = await batch.claim(runner)
    assert [run.execution_id for run in again] == [first.execution_id, second.execution_id]
    assert {(run.from_checkpoint_id, run.attempt) for run in again} == {("c-1", 1)}
    assert [run.thread_id for run in again] == [first.thread_id, second.thread_id]
    await batch.settle(runner, *(completed(run.id) for run in again))
    if not done:
        await batch.settle(runner, *(completed(run.id) for run in others))
    assert await batch.stands() == ("completed", None)
    assert await batch.counts() == {"completed": CASES}
    await check_record(batch)


async def test_a_retry_takes_a_stopped_batch_up_as_a_whole(
    batch: ControlledBatch, runner: UUID
) -> None:
    broken, stopped = await batch.claim(runner, 2)
    await batch.settle(runner, failed(broken))
    await batch.stop()
    await batch.settle(runner, cancelled(stopped))
    await batch.retry_failed()
    assert len(await batch.claim(runner)) == CASES


async def test_a_retry_goes_on_from_a_fork_where_a_lost_runner_may_still_write(
    batch: ControlledBatch, runner: UUID
) -> None:
    [run] = await batch.claim(runner, 1)
    lost = RunOutcome(
        run_id=run.id,
        status=RunStatus.LOST,
        duration_ms=0.0,
        error=RunError("runner_lost", "the runner was lost"),
    )
    await batch.settle(runner, lost)
    await batch.retry_failed()
    claimed = await batch.claim(runner)
    [again] = [each for each in claimed if each.execution_id == run.execution_id]
    assert again.thread_id != run.thread_id
    [thread] = await select(
        batch.platform.database, "SELECT * FROM wtb_threads WHERE id = :id", id=again.thread_id
    )
    assert (thread["parent_id"], thread["reason"]) == (run.thread_id, "takeover")


async def test_an_execution_that_was_stopped_alone_does_not_end_the_batch(
    batch: ControlledBatch, runner: UUID
) -> None:
    first, *others = await batch.executions()
    await batch.stop_one(first["id"])
    await batch.relay()
    runs = await batch.claim(runner)
    await batch.settle(runner, *(completed(run.id) for run in runs))
    assert await batch.stands() == ("completed", None)
    assert len(runs) == len(others)


async def test_a_batch_whose_executions_were_all_stopped_one_by_one_is_cancelled(
    batch: ControlledBatch,
) -> None:
    for row in await batch.executions():
        await batch.stop_one(row["id"])
    await batch.relay()
    assert await batch.stands() == ("cancelled", None)


async def test_a_command_is_recorded_with_who_gave_it(batch: ControlledBatch) -> None:
    await batch.pause()
    await batch.resume()
    await batch.stop()
    rows = await select(
        batch.platform.database,
        """SELECT command.kind, command.issued_by, command.payload, audit.actor, audit.action
           FROM wtb_commands AS command JOIN wtb_audit_log AS audit
               ON audit.command_id = command.id AND audit.aggregate = 'batch_test'
           WHERE command.target_id = :id AND command.target_type = 'batch_test'
             AND command.kind <> 'run' ORDER BY audit.id""",
        id=batch.id,
    )
    reason = {"reason": "a test"}
    assert [tuple(row.values()) for row in rows] == [
        ("pause", "somebody", reason, "somebody", "BatchPauseRequested"),
        ("resume", "somebody", reason, "somebody", "BatchResumed"),
        ("stop", "somebody", reason, "somebody", "BatchStopRequested"),
    ]


async def test_a_command_that_is_refused_changes_nothing(
    batch: ControlledBatch, runner: UUID
) -> None:
    await batch.claim(runner, 2)
    before = (await batch.view(), await batch.executions())
    with pytest.raises(InvalidTransition, match="running batch test does not take 'resume'"):
        await batch.resume()
    assert (await batch.view(), await batch.executions()) == before
    await batch.stop()
    before = (await batch.view(), await batch.executions())
    for command in (batch.pause, batch.resume, batch.retry_failed, batch.stop):
        with pytest.raises(InvalidTransition, match="being stopped"):
            await command()
    assert (await batch.view(), await batch.executions()) == before


async def test_a_batch_that_does_not_exist_takes_no_command(platform: Platform) -> None:
    with pytest.raises(NotFound, match="batch test"):
        await ControlledBatch(platform, new_id()).stop()
