"""Node boundaries of executions that go on elsewhere: takeovers, forks, commits that were cut."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from arranging import change, claim, eventually, register_runner
from executing import checkpoints, ended, ends, nodes, run, submit
from living_runner import LivingRunner, living_runner
from savers import group_commit_saver
from tally_file import Tally

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.ids import new_id
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.bootstrap.platform import Platform
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryRow
from wtb_async.settings import Settings


@pytest.fixture
async def runner(settings: Settings) -> AsyncIterator[LivingRunner]:
    async with living_runner(settings) as living:
        yield living


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
