"""The integrity check finds what is wrong with executions, runs and threads, and nothing else."""

from uuid import UUID

import pytest
from arranging import change, register_runner, select
from checking import check, damage, found_in
from controlling import Stations

from wtb_async.domain.execution import ExecutionStatus

pytestmark = pytest.mark.usefixtures("stations_runner")


async def completed(stations: Stations) -> UUID:
    execution_id = await stations.start()
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    return execution_id


async def test_after_real_work_there_is_nothing_to_find(stations: Stations) -> None:
    execution_id = await completed(stations)
    await stations.roll_back(execution_id, before_node="c")
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert done.checkpoint_id is not None
    branch_id = await stations.branch(execution_id, done.checkpoint_id, state={"note": "other"})
    await stations.when(branch_id, ExecutionStatus.COMPLETED)
    report = await check(stations.platform)
    assert report.checks_done == report.checks_total > 15
    assert found_in(report) == {"stuck_events": found_in(report)["stuck_events"]}, "no relay works"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM wtb_runs", "execution_references"),
        ("DELETE FROM wtb_threads", "run_references"),
        ("DELETE FROM checkpoints", "execution_checkpoints"),
        ("DELETE FROM checkpoints", "boundary_checkpoints"),
        ("DELETE FROM wtb_outbox WHERE sequence = 2", "execution_events"),
        ("UPDATE wtb_outbox SET sequence = 1", "execution_events"),
        ("DELETE FROM wtb_audit_log WHERE action = 'ExecutionStarted'", "execution_audit"),
        ("UPDATE wtb_executions SET status = 'failed'", "execution_audit"),
    ],
)
async def test_what_a_fault_takes_away_is_found(
    stations: Stations, statement: str, found: str
) -> None:
    await completed(stations)
    await damage(stations.platform.database, statement)
    assert len(found_in(await check(stations.platform))[found]) >= 1


async def test_a_fork_without_its_first_checkpoint_is_found(stations: Stations) -> None:
    execution_id = await completed(stations)
    back = await stations.roll_back(execution_id, before_node="c")
    await change(
        stations.platform.database,
        "DELETE FROM checkpoints WHERE thread_id = :thread",
        thread=str(back.thread_id),
    )
    found = found_in(await check(stations.platform))
    assert found["fork_checkpoints"] == [str(back.thread_id)]


async def test_a_thread_that_nothing_leads_to_is_deleted_when_that_is_wanted(
    stations: Stations,
) -> None:
    database = stations.platform.database
    execution_id = await completed(stations)
    left = await stations.roll_back(execution_id, before_node="c")
    await stations.roll_back(execution_id, before_node="b")
    tried = await check(stations.platform, "orphan_threads")
    assert found_in(tried)["orphan_threads"] == [str(left.thread_id)]
    assert await checkpoints_of(stations, left.thread_id) > 0, "a dry run changes nothing"
    report = await check(stations.platform, "orphan_threads", dry_run=False)
    [result] = [each for each in report.results if each.check == "orphan_threads"]
    assert (result.found, result.repaired) == (1, 1)
    assert await checkpoints_of(stations, left.thread_id) == 0
    assert "orphan_threads" not in found_in(await check(stations.platform))
    [entry] = await select(
        database, "SELECT actor, aggregate_id FROM wtb_audit_log WHERE action = 'FindingsRepaired'"
    )
    assert entry == {"actor": "somebody", "aggregate_id": report.id}


async def checkpoints_of(stations: Stations, thread_id: UUID) -> int:
    [row] = await select(
        stations.platform.database,
        "SELECT count(*) AS n FROM checkpoints WHERE thread_id = :thread",
        thread=str(thread_id),
    )
    return int(row["n"])


async def test_a_run_that_nobody_took_over_is_taken_over_when_that_is_wanted(
    stations: Stations,
) -> None:
    database = stations.platform.database
    dead = await register_runner(database.unit_of_work, "dead")
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    await change(
        database,
        "UPDATE wtb_runners SET heartbeat_at = now() - interval '1 hour' WHERE id = :dead",
        dead=dead,
    )
    await change(database, "UPDATE wtb_runs SET runner_id = :dead", dead=dead)
    report = await check(stations.platform, "abandoned_runs", dry_run=False)
    [result] = [each for each in report.results if each.check == "abandoned_runs"]
    assert (result.found, result.repaired) == (1, 1)
    stations.release("b")
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
