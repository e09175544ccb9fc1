"""Pausing a running execution, and letting it go on."""

from datetime import datetime

import pytest
from arranging import eventually, history, select
from controlling import CALLER, Stations, a_moment, output_of
from living_runner import LivingRunner, living_runner

from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.execution import Breakpoints, ExecutionStatus, PauseReason
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.settings import Settings


async def two_heartbeats(database: Database) -> None:
    """Return when the runner has begun and ended a heartbeat from now on."""

    async def latest() -> datetime:
        [row] = await select(database, "SELECT max(heartbeat_at) AS at FROM wtb_runners")
        at: datetime = row["at"]
        return at

    for _ in range(2):
        before = await latest()

        async def later(before: datetime = before) -> bool:
            return await latest() > before

        await eventually(later)


@pytest.mark.usefixtures("stations_runner")
async def test_a_pause_takes_effect_at_the_next_superstep_boundary(stations: Stations) -> None:
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    await stations.pause(execution_id)
    await a_moment()
    assert (await stations.get(execution_id)).status is ExecutionStatus.RUNNING
    stations.release("b")
    paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert paused.pause_reason is PauseReason.COMMAND
    assert paused.next_nodes == ["c"]
    assert stations.visits() == ["a", "b"]
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b", "c", "d"]
    assert stations.visits() == ["a", "b", "c", "d"]
    assert [type_ for _, type_ in await history(stations.platform.database, execution_id)] == [
        "ExecutionCreated",
        "ExecutionStarted",
        "ExecutionPauseRequested",
        "ExecutionPaused",
        "ExecutionResumed",
        "ExecutionStarted",
        "ExecutionCompleted",
    ]


async def test_every_command_is_on_record_with_its_caller(
    stations: Stations, stations_runner: LivingRunner
) -> None:
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    await stations.pause(execution_id)
    await stations_runner.until_asked()
    stations.release("b")
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.resume(execution_id)
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    database = stations.platform.database
    found = await select(
        database,
        """SELECT command.kind, command.issued_by, audit.actor, audit.action, audit.status_before,
                  audit.status_after, event.sequence
           FROM wtb_commands AS command
           JOIN wtb_audit_log AS audit ON audit.command_id = command.id
           JOIN wtb_outbox AS event
               ON event.aggregate_id = audit.aggregate_id AND event.type = audit.action
           WHERE command.target_id = :id ORDER BY command.id""",
        id=execution_id,
    )
    assert [tuple(row.values()) for row in found] == [
        ("pause", CALLER, CALLER, "ExecutionPauseRequested", "running", "running", 3),
        ("resume", CALLER, CALLER, "ExecutionResumed", "paused", "pending", 5),
    ]


async def test_a_pause_can_wait_for_a_node(
    stations: Stations, stations_runner: LivingRunner
) -> None:
    execution_id = await stations.start(a="hold")
    await stations.until_visited("a")
    await stations.pause(execution_id, at_node="d")
    await stations_runner.until_asked()
    stations.release("a")
    paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert paused.pause_reason is PauseReason.COMMAND
    assert paused.next_nodes == ["d"]
    assert stations.visits() == ["a", "b", "c"]
    await stations.resume(execution_id)
    await stations.when(execution_id, ExecutionStatus.COMPLETED)


async def test_a_pause_at_a_node_that_the_graph_lacks_is_refused(
    stations: Stations, stations_runner: LivingRunner
) -> None:
    execution_id = await stations.start(a="hold")
    await stations.until_visited("a")
    with pytest.raises(InvalidInput, match="at_node"):
        await stations.pause(execution_id, at_node="nowhere")
    stations.release("a")
    assert (await stations.when(execution_id, ExecutionStatus.COMPLETED)).version == 3
    assert not stations_runner.task.done()


async def test_a_hint_that_is_lost_is_found_by_the_heartbeat(
    settings: Settings, stations: Stations
) -> None:
    quick = settings.runner.model_copy(update={"heartbeat_seconds": 0.3})
    async with living_runner(settings.model_copy(update={"runner": quick})) as runner:
        runner.deaf = True
        execution_id = await stations.start(a="hold")
        await stations.until_visited("a")
        await stations.pause(execution_id)
        await two_heartbeats(stations.platform.database)
        stations.release("a")
        paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
        assert paused.next_nodes == ["b"]


async def test_a_pause_outlives_the_runner_that_was_to_grant_it(
    settings: Settings, stations: Stations
) -> None:
    async with living_runner(settings) as runner:
        execution_id = await stations.start(b="hold")
        await stations.until_visited("b")
        await stations.pause(execution_id, at_node="d")
        await runner.die()
        stations.release("b")
        runner.live()
        paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
        assert paused.next_nodes == ["d"]
        assert stations.visits() == ["a", "b", "b", "c"]


@pytest.mark.usefixtures("stations_runner")
async def test_breakpoints_pause_before_and_after_nodes(stations: Stations) -> None:
    execution_id = await stations.start(breakpoints=Breakpoints(before=("b",), after=("c",)))
    first = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert first.pause_reason is PauseReason.BREAKPOINT
    assert first.next_nodes == ["b"]
    [waits] = first.interrupts
    assert (waits["kind"], waits["node"], waits["value"]) == ("breakpoint", "b", None)
    await stations.resume(execution_id)
    await stations.until_visited("c")
    second = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert second.next_nodes == ["d"]
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("stations_runner")
async def test_only_a_running_execution_can_be_paused(stations: Stations) -> None:
    execution_id = await stations.start()
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    with pytest.raises(InvalidTransition):
        await stations.pause(execution_id)
    with pytest.raises(InvalidTransition):
        await stations.resume(execution_id)
    assert (await stations.get(execution_id)) == done


@pytest.mark.usefixtures("stations_runner")
async def test_a_failed_execution_goes_on_from_its_last_checkpoint(stations: Stations) -> None:
    execution_id = await stations.start(c="fail")
    failed = await stations.when(execution_id, ExecutionStatus.FAILED)
    assert failed.error is not None
    assert failed.error["node"] == "c"
    (stations.folder / "mended").touch()
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert done.error is None
    assert output_of(done)["seen"] == ["a", "b", "c", "d"]
    assert stations.visits() == ["a", "b", "c", "c", "d"]
    keys = dict.fromkeys(stations.keys())
    assert len(keys) == 4, "the second attempt of a step has the first one's key"
