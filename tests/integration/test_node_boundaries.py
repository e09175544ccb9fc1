"""Node boundaries: every attempt of every node of a run, wherever it ran."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from arranging import select
from executing import checkpoints, ended, ends, nodes, run, submit
from living_runner import LivingRunner, living_runner
from tally_file import Tally

from wtb_async.application.executions.views import NodeBoundaryView
from wtb_async.application.ids import new_id
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import InvalidInput, NotFound
from wtb_async.domain.execution import ExecutionStatus, Limits
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries
from wtb_async.settings import Settings


@pytest.fixture
async def runner(settings: Settings) -> AsyncIterator[LivingRunner]:
    async with living_runner(settings) as living:
        yield living


@pytest.mark.usefixtures("runner")
async def test_a_chain_leads_from_checkpoint_to_checkpoint(platform: Platform) -> None:
    execution, [first, second] = await run(platform, "letters", {"do": ""})
    assert ends([first, second]) == [("first", 1, "completed"), ("second", 1, "completed")]
    _, start, middle, end = await checkpoints(platform, execution)
    assert (first.entry_checkpoint_id, first.exit_checkpoint_id) == (start, middle)
    assert (second.entry_checkpoint_id, second.exit_checkpoint_id) == (middle, end)
    assert second.input == {"do": "", "letters": ["a"]}
    assert second.output == {"letters": ["b"]}
    assert (second.error, second.shared, second.checkpoint_ns) == (None, False, "")
    assert first.started_at <= first.finished_at <= second.started_at <= second.finished_at
    elapsed = (second.finished_at - second.started_at).total_seconds() * 1000
    assert second.duration_ms == pytest.approx(elapsed)


@pytest.mark.usefixtures("runner")
async def test_nodes_of_one_superstep_share_its_checkpoints(platform: Platform) -> None:
    execution, visited = await run(platform, "visits:side_by_side", {"do": ""})
    assert execution.status is ExecutionStatus.COMPLETED
    assert sorted(ends(visited[:2])) == [("left", 1, "completed"), ("right", 1, "completed")]
    assert ends(visited[2:]) == [("join", 1, "completed")]
    left, right, join = visited
    assert left.entry_checkpoint_id == right.entry_checkpoint_id
    assert left.exit_checkpoint_id == right.exit_checkpoint_id == join.entry_checkpoint_id
    assert left.task_id != right.task_id


@pytest.mark.usefixtures("runner")
async def test_every_send_is_a_boundary_with_an_input_of_its_own(platform: Platform) -> None:
    execution, [plan, *work] = await run(platform, "visits:fan_out", {"do": ""})
    assert execution.output == {"do": "", "seen": ["plan", "a", "b", "c"]}
    assert isinstance(plan.output, dict)
    assert plan.output["update"] == {"seen": ["plan"]}
    assert sorted((str(each.input), str(each.output)) for each in work) == [
        (str({"do": letter}), str({"seen": [letter]})) for letter in "abc"
    ]
    assert {each.entry_checkpoint_id for each in work} == {plan.exit_checkpoint_id}
    assert len({each.task_id for each in work}) == 3


@pytest.mark.usefixtures("runner")
async def test_every_attempt_is_a_boundary_of_the_same_task(platform: Platform) -> None:
    execution, visited = await run(platform, "visits:retried", {"do": ""})
    assert execution.status is ExecutionStatus.COMPLETED
    assert ends(visited) == [
        ("flaky", 1, "failed"),
        ("flaky", 2, "failed"),
        ("flaky", 3, "completed"),
    ]
    assert len({each.task_id for each in visited}) == 1
    assert visited[0].error == {"type": "ConnectionError", "message": "not yet"}
    assert [each.exit_checkpoint_id for each in visited[:2]] == [None, None]
    assert visited[2].exit_checkpoint_id == execution.checkpoint_id


@pytest.mark.parametrize("graph", ["nested", "nested_without_checkpoints"])
@pytest.mark.usefixtures("runner")
async def test_a_subgraph_and_its_nodes_are_boundaries(platform: Platform, graph: str) -> None:
    execution, visited = await run(platform, f"visits:{graph}", {"do": ""})
    assert execution.status is ExecutionStatus.COMPLETED
    before, inside, *inner = visited
    assert [before.node, inside.node] == ["left", "inside"]
    assert sorted(each.node for each in inner) == ["join", "left", "right"]
    assert {each.checkpoint_ns for each in inner} == {f"inside:{inside.task_id}"}
    assert all(each.status == "completed" and each.exit_checkpoint_id for each in visited)
    assert inner[0].entry_checkpoint_id > inside.entry_checkpoint_id
    assert inner[-1].finished_at <= inside.finished_at


@pytest.mark.usefixtures("runner")
async def test_a_failed_node_says_why(platform: Platform) -> None:
    execution, [_, second] = await run(platform, "letters", {"do": "fail"})
    assert execution.status is ExecutionStatus.FAILED
    assert second.status == "failed"
    assert second.error == {"type": "ValueError", "message": "told to fail"}
    assert (second.output, second.exit_checkpoint_id) == (None, None)


@pytest.mark.parametrize(
    ("graph", "node", "code"),
    [("letters", "second", "'told to exit'"), ("visits:side_by_side", "right", "3")],
    ids=["a coroutine", "a function in a thread"],
)
async def test_a_node_that_exits_fails_its_run_and_leaves_the_runner_alive(
    platform: Platform, runner: LivingRunner, graph: str, node: str, code: str
) -> None:
    execution, visited = await run(platform, graph, {"do": "exit"})
    message = f"node {node!r} called for an exit with code {code}"
    assert execution.error == {"type": "NodeExited", "message": message, "node": node}
    assert (node, 1, "failed") in ends(visited)
    assert not runner.task.done()


@pytest.mark.usefixtures("runner")
async def test_a_node_that_asks_is_interrupted(platform: Platform) -> None:
    execution, visited = await run(platform, "letters", {"do": "ask"})
    assert execution.status is ExecutionStatus.PAUSED
    assert ends(visited) == [("first", 1, "completed"), ("second", 1, "interrupted")]
    assert (visited[1].output, visited[1].error) == (None, None)


@pytest.mark.usefixtures("runner")
async def test_a_node_that_is_cut_off_is_cancelled(platform: Platform) -> None:
    limits = Limits(timeout_seconds=0.5)
    _, visited = await run(platform, "letters", {"do": "wait"}, limits)
    assert visited[-1].status == "cancelled"


async def test_a_node_of_a_run_that_is_stopped_is_cancelled(
    platform: Platform, runner: LivingRunner, tmp_path: Path
) -> None:
    tally = Tally(tmp_path)
    execution_id = await submit(platform, "tally", {**tally.input_for("x")})
    await tally.reached("x second")
    [held] = await select(platform.database, "SELECT id FROM wtb_runs")
    runner.loop.stop_run(held["id"])
    assert (await ended(platform, execution_id)).status is ExecutionStatus.CANCELLED
    visited = await nodes(platform, execution_id)
    assert ends(visited) == [("first", 1, "completed"), ("second", 1, "cancelled")]
    assert (visited[1].output, visited[1].error) == (None, None)


@pytest.mark.usefixtures("runner")
async def test_values_that_are_too_large_are_left_out(platform: Platform) -> None:
    _, visited = await run(platform, "visits:side_by_side", {"do": "large"})
    assert visited[-1].output == {"truncated": True, "size": 100_013}


@pytest.mark.usefixtures("runner")
async def test_values_that_cannot_be_stored_do_not_fail_the_boundary(platform: Platform) -> None:
    _, visited = await run(platform, "letters", {"do": "nan"})
    assert ends(visited) == [("first", 1, "completed"), ("second", 1, "completed")]
    assert visited[1].output == {"not_storable": "letters[0]: nan is not a JSON number"}


@pytest.mark.usefixtures("runner")
async def test_a_long_list_comes_in_pages(platform: Platform) -> None:
    execution, whole = await run(platform, "visits:fan_out", {"do": ""})
    queries = NodeBoundaryQueries(platform.database.engine)
    walked: list[NodeBoundaryView] = []
    cursor = None
    while True:
        page = await queries.list(execution.id, limit=3, cursor=cursor)
        walked += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert walked == whole
    with pytest.raises(InvalidInput):
        await queries.list(execution.id, limit=3, cursor="nonsense")
    with pytest.raises(NotFound):
        await queries.list(new_id(), limit=3, cursor=None)
