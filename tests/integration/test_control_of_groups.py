"""Commands on an execution that shares its run: it goes its own way, the others notice nothing."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from arranging import change, eventually, history
from controlling import Stations, output_of
from executing import nodes
from groups import runs_of
from living_runner import LivingRunner, living_runner

from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.execution import ExecutionStatus, Limits, PauseReason
from wtb_async.settings import Settings

VARIANTS = ("base", "loud", "soft")
SEEN = {"base": ["a", "b", "c", "d"], "loud": ["a", "b", "C!", "d"], "soft": ["a", "b", "c?", "d"]}


async def completed_as(stations: Stations, execution_id: UUID, seen: Sequence[str]) -> None:
    execution = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(execution)["seen"] == seen


async def types_of(stations: Stations, execution_id: UUID) -> list[str]:
    found = await history(stations.platform.database, execution_id)
    assert [number for number, _ in found] == list(range(2, len(found) + 2))
    return [type_ for _, type_ in found]


@pytest.mark.usefixtures("stations_runner")
async def test_a_common_prefix_runs_once_and_each_execution_starts_once(
    stations: Stations,
) -> None:
    ids = await stations.start_group(*VARIANTS)
    for execution_id, variant in zip(ids, VARIANTS, strict=True):
        await completed_as(stations, execution_id, SEEN[variant])
        assert await types_of(stations, execution_id) == ["ExecutionStarted", "ExecutionCompleted"]
    assert sorted(stations.visits()) == ["a", "b", "c", "d", "d", "d"]
    [shared, *own] = await runs_of(stations.platform.database)
    assert (shared["status"], shared["gates"], shared["serves"]) == ("split", ["c"], 0)
    assert [(run["status"], run["gates"], run["serves"]) for run in own] == [
        ("completed", [], 1)
    ] * 3


@pytest.mark.usefixtures("stations_runner")
async def test_one_that_is_paused_stands_where_the_group_was_while_the_others_go_on(
    stations: Stations,
) -> None:
    paused, *others = await stations.start_group(*VARIANTS, b="hold")
    await stations.until_visited("b")
    await stations.pause(paused)
    resting = await stations.when(paused, ExecutionStatus.PAUSED)
    assert (resting.pause_reason, resting.next_nodes) == (PauseReason.COMMAND, ["b"])
    assert stations.visits() == ["a", "b"]
    stations.release("b")
    for execution_id, variant in zip(others, VARIANTS[1:], strict=True):
        await completed_as(stations, execution_id, SEEN[variant])
    await stations.resume(paused)
    await completed_as(stations, paused, SEEN["base"])
    assert stations.visits().count("b") == 2
    visited = await nodes(stations.platform, paused)
    assert [each.node for each in visited] == ["a", "b", "c", "d"]
    assert [each.shared for each in visited] == [True, False, False, False]


@pytest.mark.usefixtures("stations_runner")
async def test_one_can_be_paused_before_a_node_that_the_others_pass(stations: Stations) -> None:
    first, second = await stations.start_group("base", "loud", b="hold")
    await stations.until_visited("b")
    await stations.pause(second, at_node="d")
    stations.release("b")
    resting = await stations.when(second, ExecutionStatus.PAUSED)
    assert resting.next_nodes == ["d"]
    await completed_as(stations, first, SEEN["base"])
    await stations.resume(second)
    await completed_as(stations, second, SEEN["loud"])


@pytest.mark.usefixtures("stations_runner")
async def test_one_that_is_stopped_ends_at_once_and_can_be_rolled_back_alone(
    stations: Stations,
) -> None:
    stopped, other = await stations.start_group("base", "loud", b="hold")
    await stations.until_visited("b")
    await stations.stop(stopped)
    assert (await stations.get(stopped)).status is ExecutionStatus.CANCELLED
    stations.release("b")
    await completed_as(stations, other, SEEN["loud"])
    await stations.roll_back(stopped, before_node="a")
    await stations.resume(stopped)
    await completed_as(stations, stopped, SEEN["base"])


async def test_what_waits_for_a_runner_can_be_stopped_one_by_one(
    settings: Settings, stations: Stations
) -> None:
    first, second, third = await stations.start_group(*VARIANTS)
    await stations.stop(second)
    with pytest.raises(InvalidTransition):
        await stations.pause(first)
    async with living_runner(settings):
        await completed_as(stations, first, SEEN["base"])
        await completed_as(stations, third, SEEN["soft"])
    assert (await stations.get(second)).status is ExecutionStatus.CANCELLED
    assert stations.visits().count("a") == 1


async def test_when_all_were_stopped_nothing_is_run(settings: Settings, stations: Stations) -> None:
    for execution_id in await stations.start_group(*VARIANTS):
        await stations.stop(execution_id)
    async with living_runner(settings):
        last = await stations.start()
        await stations.when(last, ExecutionStatus.COMPLETED)
    assert stations.visits() == ["a", "b", "c", "d"]
    runs = await runs_of(stations.platform.database)
    assert [run["status"] for run in runs] == ["cancelled"] * 4 + ["completed"]


@pytest.mark.usefixtures("stations_runner")
async def test_a_run_that_everybody_has_left_is_stopped(stations: Stations) -> None:
    ids = await stations.start_group(*VARIANTS, b="hold")
    await stations.until_visited("b")
    for execution_id in ids:
        await stations.stop(execution_id)
    stations.release("b")

    async def all_ended() -> bool:
        runs = await runs_of(stations.platform.database)
        return {run["status"] for run in runs} == {"cancelled"}

    await eventually(all_ended)
    assert stations.visits() == ["a", "b"]


@pytest.mark.usefixtures("stations_runner")
async def test_a_running_member_can_be_branched_from(stations: Stations) -> None:
    parent, other = await stations.start_group("base", "loud", b="hold")
    await stations.until_visited("b")
    before_b = await stations.checkpoint_before(parent, "b")
    stations.release("b")
    branch = await stations.branch(parent, before_b, variants={"c": "soft"})
    await completed_as(stations, branch, SEEN["soft"])
    await completed_as(stations, parent, SEEN["base"])
    await completed_as(stations, other, SEEN["loud"])


@pytest.mark.usefixtures("stations_runner")
async def test_a_question_in_front_of_the_gates_is_answered_by_each_for_itself(
    stations: Stations,
) -> None:
    ids = await stations.start_group(*VARIANTS, b="ask")
    for execution_id, variant in zip(ids, VARIANTS, strict=True):
        asking = await stations.when(execution_id, ExecutionStatus.PAUSED)
        assert asking.pause_reason is PauseReason.INTERRUPT
        await stations.resume(execution_id, answers=f"told {variant}")
    for execution_id, variant in zip(ids, VARIANTS, strict=True):
        expected = ["a", f"b:told {variant}", *SEEN[variant][2:]]
        await completed_as(stations, execution_id, expected)
    assert stations.visits().count("a") == 1
    visits = stations.keys()
    assert len({key for node, key in visits[2:] if node == "b"}) == 3, (
        "each has a key of its own for what it does by itself"
    )


@pytest.mark.usefixtures("stations_runner")
async def test_a_node_that_fails_for_all_is_tried_again_by_each_for_itself(
    stations: Stations,
) -> None:
    first, second = await stations.start_group("base", "loud", b="fail")
    for execution_id in (first, second):
        failed = await stations.when(execution_id, ExecutionStatus.FAILED)
        assert failed.error == {"type": "ValueError", "message": "not mended", "node": "b"}
    (stations.folder / "mended").touch()
    await stations.resume(second)
    await completed_as(stations, second, SEEN["loud"])
    assert (await stations.get(first)).status is ExecutionStatus.FAILED
    assert stations.visits().count("a") == 1


@pytest.mark.usefixtures("stations_runner")
async def test_a_request_on_the_run_itself_is_for_all_whom_it_serves(stations: Stations) -> None:
    ids = await stations.start_group(*VARIANTS, b="hold")
    await stations.until_visited("b")
    await change(
        stations.platform.database,
        """UPDATE wtb_runs SET request = '{"kind": "pause", "at_node": "d"}'""",
    )
    stations.platform.nudges.new_requests("default")
    stations.release("b")
    for execution_id, variant in zip(ids, VARIANTS, strict=True):
        resting = await stations.when(execution_id, ExecutionStatus.PAUSED)
        assert resting.next_nodes == ["d"]
        await stations.resume(execution_id)
        await completed_as(stations, execution_id, SEEN[variant])


async def test_another_runner_goes_on_with_all_of_a_group_from_its_last_checkpoint(
    settings: Settings, stations: Stations, stations_runner: LivingRunner
) -> None:
    ids = await stations.start_group(*VARIANTS, b="hold")
    await stations.until_visited("b")
    await stations_runner.die()
    stations.release("b")
    await reap_lost_runners(stations.platform.database.unit_of_work, lease_seconds=0)
    async with living_runner(settings, "runner-2"):
        for execution_id, variant in zip(ids, VARIANTS, strict=True):
            await completed_as(stations, execution_id, SEEN[variant])
            taken_over = ["ExecutionStarted", "ExecutionTakenOver", "ExecutionCompleted"]
            assert await types_of(stations, execution_id) == taken_over
    assert stations.visits()[:3] == ["a", "b", "b"]


async def test_time_before_a_split_counts_against_the_limit_of_what_follows(
    settings: Settings, stations: Stations
) -> None:
    late = await stations.start(limits=Limits(timeout_seconds=60))
    await change(stations.platform.database, "UPDATE wtb_runs SET spent_ms = 60000")
    in_time = await stations.start(limits=Limits(timeout_seconds=60))
    async with living_runner(settings):
        failed = await stations.when(late, ExecutionStatus.FAILED)
        await stations.when(in_time, ExecutionStatus.COMPLETED)
    assert failed.error is not None
    assert failed.error["message"] == "the run took longer than its limit of 60 s"
