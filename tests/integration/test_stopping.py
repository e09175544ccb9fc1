"""Stopping executions: cooperatively, by force, and without the help of their runner."""

import pytest
from arranging import change, history
from controlling import Stations, a_moment
from living_runner import LivingRunner, living_runner

from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.execution import Breakpoints, ExecutionStatus
from wtb_async.settings import Settings


async def events(stations: Stations, execution_id: object) -> list[str]:
    found = await history(stations.platform.database, execution_id)  # type: ignore[arg-type]
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    return [type_ for _, type_ in found]


def impatient(settings: Settings) -> Settings:
    """Settings with which a stop is enforced soon."""
    changes = {"stop_grace_seconds": 0.1, "abandon_after_seconds": 0.1}
    return settings.model_copy(update={"runner": settings.runner.model_copy(update=changes)})


@pytest.mark.usefixtures("stations_runner")
async def test_a_running_execution_stops_at_the_next_boundary(stations: Stations) -> None:
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    await stations.stop(execution_id)
    await a_moment()
    stations.release("b")
    stopped = await stations.when(execution_id, ExecutionStatus.CANCELLED)
    assert stations.visits() == ["a", "b"]
    assert stopped.finished_at is not None
    assert (await stations.checkpoint_before(execution_id, "c")) == stopped.checkpoint_id
    assert await events(stations, execution_id) == [
        "ExecutionCreated",
        "ExecutionStarted",
        "ExecutionStopRequested",
        "ExecutionCancelled",
    ]


async def test_a_node_that_goes_on_is_cancelled_after_the_grace(
    settings: Settings, stations: Stations
) -> None:
    async with living_runner(impatient(settings)):
        execution_id = await stations.start(b="hold")
        await stations.until_visited("b")
        await stations.stop(execution_id)
        await stations.when(execution_id, ExecutionStatus.CANCELLED)
        assert stations.visits() == ["a", "b"]


async def test_a_node_that_survives_being_cancelled_is_given_up(
    settings: Settings, stations: Stations
) -> None:
    one_slot = settings.runner.model_copy(update={"slots": 1})
    settings = impatient(settings.model_copy(update={"runner": one_slot}))
    async with living_runner(settings):
        execution_id = await stations.start(b="cling")
        await stations.until_visited("b")
        await stations.stop(execution_id)
        await stations.when(execution_id, ExecutionStatus.CANCELLED)
        neighbour = await stations.start()
        await stations.when(neighbour, ExecutionStatus.COMPLETED)
        await stations.until_let_go("b")
    # The runner has ended, and waited for what it had let go of.
    given_up = await stations.get(execution_id)
    timeline = await stations.history.of_lineage(given_up.thread_id, limit=100)
    assert timeline.items[0].next_nodes == ["b"], "nothing that it did later is kept"


async def test_a_pending_execution_is_cancelled_at_once_and_never_run(
    settings: Settings, stations: Stations
) -> None:
    execution_id = await stations.start()
    await stations.stop(execution_id)
    assert (await stations.get(execution_id)).status is ExecutionStatus.CANCELLED
    async with living_runner(settings):
        await stations.when(await stations.start(), ExecutionStatus.COMPLETED)
    assert stations.visits() == ["a", "b", "c", "d"]
    assert await events(stations, execution_id) == ["ExecutionCreated", "ExecutionCancelled"]


@pytest.mark.usefixtures("stations_runner")
async def test_a_paused_execution_is_cancelled_at_once(stations: Stations) -> None:
    execution_id = await stations.start(breakpoints=Breakpoints(before=("b",)))
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.stop(execution_id)
    assert (await stations.get(execution_id)).status is ExecutionStatus.CANCELLED
    with pytest.raises(InvalidTransition):
        await stations.stop(execution_id)


@pytest.mark.usefixtures("stations_runner")
async def test_a_question_is_closed_when_its_execution_is_stopped(stations: Stations) -> None:
    execution_id = await stations.start(b="ask")
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.stop(execution_id)
    assert (await stations.get(execution_id)).interrupts == []


@pytest.mark.usefixtures("stations_runner")
async def test_an_execution_that_is_being_stopped_cannot_be_paused(stations: Stations) -> None:
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    await stations.stop(execution_id)
    with pytest.raises(InvalidTransition, match="being stopped"):
        await stations.pause(execution_id)
    stations.release("b")
    await stations.when(execution_id, ExecutionStatus.CANCELLED)


async def test_a_stop_that_comes_when_the_graph_has_paused_is_granted_when_it_is_settled(
    stations: Stations, stations_runner: LivingRunner
) -> None:
    stations_runner.deaf = True
    execution_id = await stations.start(b="hold", c="ask")
    await stations.until_visited("b")
    await stations.stop(execution_id)
    stations.release("b")
    stopped = await stations.when(execution_id, ExecutionStatus.CANCELLED)
    assert stopped.interrupts == []
    assert (await events(stations, execution_id))[-1] == "ExecutionCancelled"


async def test_a_stop_is_granted_even_if_the_next_runner_is_the_first_to_hear_of_it(
    settings: Settings, stations: Stations
) -> None:
    database = stations.platform.database
    async with living_runner(settings) as runner:
        execution_id = await stations.start(b="hold")
        await stations.until_visited("b")
        await runner.die()
        assert await reap_lost_runners(database.unit_of_work, lease_seconds=30) == 1
        await stations.stop(execution_id)
        runner.live()
        await stations.when(execution_id, ExecutionStatus.CANCELLED)
        assert stations.visits() == ["a", "b"]


async def test_the_stop_of_a_lost_runner_s_execution_is_granted_by_its_successor(
    settings: Settings, stations: Stations
) -> None:
    async with living_runner(settings) as runner:
        execution_id = await stations.start(b="hold")
        await stations.until_visited("b")
        await stations.stop(execution_id)
        await change(stations.platform.database, "UPDATE wtb_runners SET heartbeat_at = now()")
        await runner.die()
        runner.live()
        await stations.when(execution_id, ExecutionStatus.CANCELLED)
        assert stations.visits() == ["a", "b"]
