"""Node boundaries: every attempt of every node, wherever it ran, and along forks."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from arranging import accept, change, claim, eventually, new_workflow, register_runner
from arranging import select as rows_of
from living_runner import LivingRunner, living_runner
from savers import group_commit_saver
from tally_file import Tally

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.application.views import ExecutionView, NodeBoundaryView
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import InvalidInput, NotFound
from wtb_async.domain.execution import ENDED, ExecutionStatus, Limits
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryRow
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries
from wtb_async.settings import Settings


@pytest.fixture
async def runner(settings: Settings) -> AsyncIterator[LivingRunner]:
    async with living_runner(settings) as living:
        yield living


async def submit(
    platform: Platform, graph: str, graph_input: JsonObject, limits: Limits | None = None
) -> UUID:
    """Accept an execution of `project:function`."""
    project, _, function = graph.partition(":")
    workflow = new_workflow(project)
    workflow.graph = f"./{project}.py:{function or 'build'}"
    async with platform.database.unit_of_work() as uow:
        uow.workflows.add(workflow)
        await uow.commit()
    plan = await accept(platform.database.unit_of_work, workflow, input_=graph_input, limits=limits)
    return plan.executions[0].execution_id


async def ended(platform: Platform, execution_id: UUID) -> ExecutionView:
    queries = ExecutionQueries(platform.database.engine)

    async def there() -> ExecutionView | None:
        execution = await queries.get(execution_id)
        return execution if execution.status in {*ENDED, ExecutionStatus.PAUSED} else None

    found = await eventually(there)
    assert found is not None
    return found


async def nodes(platform: Platform, execution_id: UUID) -> list[NodeBoundaryView]:
    queries = NodeBoundaryQueries(platform.database.engine)
    page = await queries.list(execution_id, limit=50, cursor=None)
    assert page.next_cursor is None
    return page.items


async def run(
    platform: Platform, graph: str, graph_input: JsonObject, limits: Limits | None = None
) -> tuple[ExecutionView, list[NodeBoundaryView]]:
    execution_id = await submit(platform, graph, graph_input, limits)
    return await ended(platform, execution_id), await nodes(platform, execution_id)


def ends(visited: list[NodeBoundaryView]) -> list[tuple[str, int, str]]:
    return [(each.node, each.attempt, each.status.value) for each in visited]


async def checkpoints(platform: Platform, execution: ExecutionView) -> list[str]:
    """The root checkpoints of an execution's thread, oldest first."""
    found = await rows_of(
        platform.database,
        "SELECT checkpoint_id FROM checkpoints"
        " WHERE thread_id = :thread AND checkpoint_ns = '' ORDER BY 1",
        thread=str(execution.thread_id),
    )
    return [row["checkpoint_id"] for row in found]


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


@pytest.mark.usefixtures("runner")
async def test_a_subgraph_and_its_nodes_are_boundaries(platform: Platform) -> None:
    execution, visited = await run(platform, "visits:nested", {"do": ""})
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
    [held] = await rows_of(platform.database, "SELECT id FROM wtb_runs")
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


async def test_a_successor_shows_what_was_done_before_it_and_its_own(
    platform: Platform, settings: Settings, runner: LivingRunner, tmp_path: Path
) -> None:
    tally = Tally(tmp_path)
    execution_id = await submit(platform, "tally", {**tally.input_for("x")})
    await tally.reached("x second")
    assert ends(await nodes(platform, execution_id)) == [("first", 1, "completed")]
    await runner.die()
    tally.open_gate()
    await reap_lost_runners(platform.database.unit_of_work, lease_seconds=0)
    async with living_runner(settings, "runner-2"):
        execution = await ended(platform, execution_id)
    visited = await nodes(platform, execution_id)
    kept = [each for each in visited if each.status != "cancelled"]
    assert ends(kept) == [("first", 1, "completed"), ("second", 1, "completed")]
    assert kept[0].exit_checkpoint_id == kept[1].entry_checkpoint_id
    assert kept[1].exit_checkpoint_id == execution.checkpoint_id
    assert not any(each.shared for each in visited)


async def test_a_sibling_that_had_finished_is_not_run_again_and_stays(
    platform: Platform, settings: Settings, runner: LivingRunner, tmp_path: Path
) -> None:
    tally = Tally(tmp_path)
    execution_id = await submit(platform, "tally:side_by_side", {**tally.input_for("x")})

    async def first_is_kept() -> bool:
        return ends(await nodes(platform, execution_id)) == [("first", 1, "completed")]

    await eventually(first_is_kept)
    await tally.reached("x second")
    [before] = await nodes(platform, execution_id)
    await runner.die()
    tally.open_gate()
    await reap_lost_runners(platform.database.unit_of_work, lease_seconds=0)
    async with living_runner(settings, "runner-2"):
        execution = await ended(platform, execution_id)
    assert tally.lines().count("x first") == 1
    visited = await nodes(platform, execution_id)
    first, second = (each for each in visited if each.status == "completed")
    assert (first.node, first.started_at) == ("first", before.started_at)
    assert before.exit_checkpoint_id is None
    assert first.exit_checkpoint_id == second.exit_checkpoint_id == execution.checkpoint_id


def cut_first_commit_of_boundaries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """It is done, but nobody is told; answers the statements that this happened to."""
    fetch = asyncpg.Connection.fetch
    cut: list[str] = []

    async def fetch_or_lose(connection: Any, query: str, *arguments: Any) -> Any:  # noqa: ANN401
        answer = await fetch(connection, query, *arguments)
        if "wtb_node_boundaries" in query and not cut:
            cut.append(query)
            raise ConnectionResetError("cut after the commit")
        return answer

    monkeypatch.setattr(asyncpg.Connection, "fetch", fetch_or_lose)
    return cut


async def test_a_boundary_whose_commit_was_cut_is_kept_once(
    platform: Platform, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = cut_first_commit_of_boundaries(monkeypatch)
    execution_id = await submit(platform, "letters", {})
    runner_id = await register_runner(platform.database.unit_of_work)
    [held] = await claim(platform.database.unit_of_work, runner_id)
    thread_id = str(held.thread_id)
    row = BoundaryRow(
        id=new_id(),
        thread_id=thread_id,
        run_id=held.id,
        node="first",
        task_id="t-1",
        attempt=1,
        status="completed",
        checkpoint_ns="",
        entry_checkpoint_id="c-1",
        started_at=utc_now(),
        finished_at=utc_now(),
        input="{}",
        output="{}",
        error=None,
    )
    async with group_commit_saver(settings.database_url.get_secret_value()) as saver:
        saver.boundaries.open(thread_id, held.id)
        saver.boundaries.add(row)
        await saver.write_boundaries(thread_id)
    assert len(cut) == 1
    assert ends(await nodes(platform, execution_id)) == [("first", 1, "completed")]


FORK = """
WITH thread AS (
    INSERT INTO wtb_threads (id, parent_id, fork_checkpoint_id, reason, created_at)
    SELECT :thread, thread_id, :checkpoint, :reason, now() FROM wtb_executions WHERE id = :id
    RETURNING parent_id
), copied AS (
    INSERT INTO checkpoints SELECT :text_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id,
           type, checkpoint, metadata
    FROM checkpoints JOIN thread ON thread_id = parent_id::text WHERE checkpoint_id <= :checkpoint
)
UPDATE wtb_executions SET thread_id = :thread WHERE id = :id
"""


async def fork(platform: Platform, execution: ExecutionView, checkpoint: str, reason: str) -> None:
    """Point the execution at a fork of its thread."""
    thread = new_id()
    await change(
        platform.database,
        FORK,
        thread=thread,
        text_id=str(thread),
        checkpoint=checkpoint,
        reason=reason,
        id=execution.id,
    )


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(("reason", "shared"), [("rollback", False), ("branch", True)])
async def test_a_fork_shows_what_led_to_its_checkpoint(
    platform: Platform, reason: str, shared: bool
) -> None:
    execution, [first, _] = await run(platform, "letters", {"do": ""})
    _, start, middle, _ = await checkpoints(platform, execution)
    await fork(platform, execution, middle, reason)
    [kept] = await nodes(platform, execution.id)
    assert (kept.node, kept.exit_checkpoint_id, kept.shared) == ("first", middle, shared)
    assert kept.started_at == first.started_at
    await fork(platform, execution, start, reason)
    assert await nodes(platform, execution.id) == []


async def test_a_runner_that_lost_its_run_leaves_no_boundary(
    platform: Platform, runner: LivingRunner, tmp_path: Path
) -> None:
    tally = Tally(tmp_path)
    execution_id = await submit(platform, "tally", {**tally.input_for("x")})
    await tally.reached("x second")
    await reap_lost_runners(platform.database.unit_of_work, lease_seconds=0)
    tally.open_gate()
    await tally.reached("x end")
    await runner.die()
    assert ends(await nodes(platform, execution_id)) == [("first", 1, "completed")]


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
