"""Going back: to a checkpoint, to before or after a node, and on from there."""

import asyncio
from uuid import UUID

import pytest
from arranging import select
from controlling import Stations, output_of

from wtb_async.application.ids import new_id
from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.execution import ExecutionStatus, Limits, PauseReason
from wtb_async.settings import Settings

pytestmark = pytest.mark.usefixtures("stations_runner")


async def completed(stations: Stations) -> UUID:
    execution_id = await stations.start()
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    return execution_id


async def test_an_execution_goes_back_to_before_a_node_and_runs_it_again(
    stations: Stations,
) -> None:
    execution_id = await completed(stations)
    before = await stations.get(execution_id)
    back = await stations.roll_back(execution_id, before_node="c")
    assert (back.status, back.pause_reason) == (ExecutionStatus.PAUSED, PauseReason.COMMAND)
    assert back.next_nodes == ["c"]
    assert (back.output, back.finished_at) == (None, None)
    assert back.thread_id != before.thread_id
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert done.output == before.output
    assert stations.visits() == ["a", "b", "c", "d", "c", "d"]
    keys = stations.keys()
    assert keys[2] != keys[4], "a step that somebody wants again is another step"


async def test_an_execution_goes_back_to_after_a_node(stations: Stations) -> None:
    execution_id = await completed(stations)
    back = await stations.roll_back(execution_id, after_node="c")
    assert back.next_nodes == ["d"]


async def test_the_old_timeline_stays_readable_and_can_be_returned_to(stations: Stations) -> None:
    execution_id = await completed(stations)
    end = (await stations.get(execution_id)).checkpoint_id
    assert end is not None
    await stations.roll_back(execution_id, before_node="b")
    back = await stations.get(execution_id)
    timeline = await stations.history.of_lineage(back.thread_id, limit=100)
    assert end in [item.checkpoint_id for item in timeline.items]
    forward = await stations.roll_back(execution_id, checkpoint_id=UUID(end))
    assert forward.next_nodes == []
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b", "c", "d"]
    assert stations.visits() == ["a", "b", "c", "d"]


async def test_a_question_is_asked_again_after_a_rollback(stations: Stations) -> None:
    execution_id = await stations.start(b="ask")
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.resume(execution_id, answers="one")
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    await stations.roll_back(execution_id, before_node="b")
    await stations.resume(execution_id)
    await stations.until_visited("b", times=3)
    asked = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert [item["value"] for item in asked.interrupts] == ["what at b?"]
    await stations.resume(execution_id, answers="two")
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b:two", "c", "d"]


async def test_a_cancelled_execution_can_be_taken_back(stations: Stations) -> None:
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    await stations.stop(execution_id)
    stations.release("b")
    await stations.when(execution_id, ExecutionStatus.CANCELLED)
    await stations.roll_back(execution_id, before_node="b")
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b", "c", "d"]


async def test_more_can_be_taken_back_and_branched_at_once_than_there_are_connections(
    stations: Stations,
) -> None:
    first = await completed(stations)
    checkpoint_id = await stations.checkpoint_before(first, "c")
    others = [await completed(stations) for _ in range(10)]
    await asyncio.gather(
        *(stations.roll_back(each, before_node="c") for each in others),
        *(stations.branch(first, checkpoint_id, starts=False) for _ in range(10)),
    )
    for each in others:
        assert (await stations.get(each)).next_nodes == ["c"]


async def test_a_running_execution_cannot_be_taken_back(stations: Stations) -> None:
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    with pytest.raises(InvalidTransition):
        await stations.roll_back(execution_id, before_node="a")
    stations.release("b")
    await stations.when(execution_id, ExecutionStatus.COMPLETED)


async def test_a_moment_that_is_none_of_the_execution_s_is_refused(stations: Stations) -> None:
    execution_id, other = await completed(stations), await completed(stations)
    strange = UUID(await stations.checkpoint_before(other, "c"))
    before = await stations.get(execution_id)
    for checkpoint_id in (strange, new_id()):
        with pytest.raises(InvalidInput, match="no root checkpoint"):
            await stations.roll_back(execution_id, checkpoint_id=checkpoint_id)
    with pytest.raises(InvalidInput, match="has not run"):
        await stations.roll_back(execution_id, before_node="nowhere")
    with pytest.raises(InvalidInput, match="has not completed"):
        await stations.roll_back(execution_id, after_node="nowhere")
    with pytest.raises(InvalidInput, match="give one of"):
        await stations.roll_back(execution_id)
    assert await stations.get(execution_id) == before
    threads = await select(stations.platform.database, "SELECT id FROM wtb_threads")
    assert len(threads) == 2


async def test_all_runs_of_an_execution_share_one_recursion_limit(stations: Stations) -> None:
    execution_id = await stations.start(limits=Limits(recursion_limit=4), b="ask", c="ask")
    for node in ("b", "c"):
        await stations.until_visited(node)
        await stations.when(execution_id, ExecutionStatus.PAUSED)
        await stations.resume(execution_id, answers="go on")
        await stations.until_visited(node, times=2)
    failed = await stations.when(execution_id, ExecutionStatus.FAILED)
    assert failed.error is not None
    assert failed.error["type"] == "GraphRecursionError"
    assert "limit of 4 supersteps" in failed.error["message"]


async def test_a_node_has_its_own_time(stations: Stations, settings: Settings) -> None:
    del settings
    limits = Limits(node_timeout_seconds=0.2)
    execution_id = await stations.start(limits=limits, b="hold")
    failed = await stations.when(execution_id, ExecutionStatus.FAILED)
    assert failed.error is not None
    assert (failed.error["type"], failed.error["node"]) == ("NodeTimedOut", "b")
