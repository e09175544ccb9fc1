"""Nodes in processes of their own, as a runner drives them: limits, stops and boundaries."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from arranging import PROJECTS, accept, register
from executing import ended, ends, nodes
from living_runner import living_runner
from local_benches import local_bench
from moved_rooms import gone, pid_left

from wtb_async.application.executions.stop_execution import StopExecution, stop_execution
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import ExecutionStatus, Limits
from wtb_async.domain.workflow import Workflow
from wtb_async.settings import Settings


@dataclass
class Deeds:
    """Executions of the project `rooms`, and a folder for what its nodes leave."""

    platform: Platform
    workflow: Workflow
    folder: Path

    async def start(self, deed: str, limits: Limits | None = None) -> UUID:
        """Accept an execution."""
        uow_factory = self.platform.database.unit_of_work
        given = {"do": deed, "folder": str(self.folder)}
        plan = await accept(uow_factory, self.workflow, input_=given, limits=limits)
        return plan.executions[0].execution_id


@pytest.fixture
async def deeds(settings: Settings, platform: Platform, tmp_path: Path) -> AsyncIterator[Deeds]:
    """On a runner that waits for nobody who is to stop."""
    impatient = settings.runner.model_copy(update={"stop_grace_seconds": 0.1})
    async with living_runner(settings.model_copy(update={"runner": impatient})):
        workflow = await register(platform.database.unit_of_work, "rooms")
        yield Deeds(platform, workflow, tmp_path)


async def test_boundaries_tell_of_a_node_s_own_error(deeds: Deeds) -> None:
    execution_id = await deeds.start("luck")
    execution = await ended(deeds.platform, execution_id)
    assert execution.error == {"type": "OutOfLuck", "message": "left has 0 luck", "node": "left"}
    [left] = [each for each in await nodes(deeds.platform, execution_id) if each.node == "left"]
    assert left.error == {"type": "OutOfLuck", "message": "left has 0 luck"}


async def test_a_node_that_exits_fails_its_run_alone(deeds: Deeds) -> None:
    execution = await ended(deeds.platform, await deeds.start("exit"))
    message = "node 'left' called for an exit with code 3"
    assert execution.error == {"type": "NodeExited", "message": message, "node": "left"}


async def test_both_nodes_have_their_keys_and_boundaries(deeds: Deeds) -> None:
    execution_id = await deeds.start("look")
    execution = await ended(deeds.platform, execution_id)
    assert isinstance(execution.output, dict)
    [key] = execution.output["answers"]
    assert UUID(str(key))
    visited = await nodes(deeds.platform, execution_id)
    assert sorted(ends(visited)) == [("left", 1, "completed"), ("right", 1, "completed")]


async def test_a_node_that_takes_too_long_ends_with_all_that_it_started(deeds: Deeds) -> None:
    await ended(deeds.platform, await deeds.start("look"))  # Starting the process counts too.
    execution_id = await deeds.start("hang", Limits(node_timeout_seconds=2.0))
    pids = [await pid_left(deeds.folder, "node"), await pid_left(deeds.folder, "sleeper")]
    execution = await ended(deeds.platform, execution_id)
    assert execution.error is not None
    assert (execution.error["type"], execution.error["node"]) == ("NodeTimedOut", "left")
    for pid in pids:
        await gone(pid)


async def test_a_stop_ends_a_hanging_node_and_all_that_it_started(deeds: Deeds) -> None:
    execution_id = await deeds.start("hang")
    pids = [await pid_left(deeds.folder, "node"), await pid_left(deeds.folder, "sleeper")]
    await stop_execution(
        StopExecution(execution_id=execution_id, caller="test"),
        uow_factory=deeds.platform.database.unit_of_work,
        nudges=deeds.platform.nudges,
    )
    execution = await ended(deeds.platform, execution_id)
    assert execution.status is ExecutionStatus.CANCELLED
    for pid in pids:
        await gone(pid)


async def test_a_local_bench_gives_its_nodes_processes_too(
    database_url: str, tmp_path: Path
) -> None:
    async with local_bench(database_url, project=PROJECTS / "rooms/langgraph.json") as bench:
        given = {"do": "leave", "folder": str(tmp_path)}
        execution = await bench.run("rooms", given)
    output: Any = execution.output
    before, after = output["seen"]
    assert (before["variable"], after["variable"]) == (None, "left")
    assert os.getpid() not in {before["pid"], after["pid"]}
