"""Executions of the `stations` project, and what is asked of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from arranging import accept, eventually, register
from groups import accept_group
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from living_runner import LivingRunner, living_runner

from wtb_async.application.executions.branch_execution import BranchExecution, branch_execution
from wtb_async.application.executions.edit_state import EditState, edit_state
from wtb_async.application.executions.pause_execution import PauseExecution, pause_execution
from wtb_async.application.executions.places import Place
from wtb_async.application.executions.resume_execution import ResumeExecution, resume_execution
from wtb_async.application.executions.roll_back_execution import (
    RollBackExecution,
    roll_back_execution,
)
from wtb_async.application.executions.stop_execution import StopExecution, stop_execution
from wtb_async.application.executions.views import ExecutionView
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, ExecutionStatus, Limits
from wtb_async.domain.json import JsonValue
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.checkpoints.history import CheckpointHistory
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries
from wtb_async.infrastructure.postgres.queries.timelines import PostgresTimelines
from wtb_async.settings import Settings

CALLER = "somebody"


@dataclass(frozen=True)
class Stations:
    """The workflow on one platform, and the folder in which its nodes look for leave to go on."""

    platform: Platform
    workflow: Workflow
    folder: Path
    history: CheckpointHistory

    @property
    def _timelines(self) -> PostgresTimelines:
        boundaries = NodeBoundaryQueries(self.platform.database.engine)
        return PostgresTimelines(self.history, boundaries)

    async def start(
        self,
        *,
        breakpoints: Breakpoints = NO_BREAKPOINTS,
        limits: Limits | None = None,
        **tasks: str,
    ) -> UUID:
        """Accept an execution whose nodes have these tasks."""
        plan = await accept(
            self.platform.database.unit_of_work,
            self.workflow,
            input_={"tasks": tasks, "folder": str(self.folder), "seen": []},
            limits=limits,
            breakpoints=breakpoints,
        )
        return plan.executions[0].execution_id

    async def start_group(
        self, *variants: str, limits: Limits | None = None, **tasks: str
    ) -> list[UUID]:
        """Accept an execution for each of these variants of `c`, which share `a` and `b`."""
        return await accept_group(
            self.platform.database,
            self.workflow,
            [{"c": name} for name in variants],
            {"tasks": tasks, "folder": str(self.folder), "seen": []},
            limits=limits,
        )

    async def get(self, execution_id: UUID) -> ExecutionView:
        """The execution as it stands."""
        return await ExecutionQueries(self.platform.database.engine).get(execution_id)

    async def when(self, execution_id: UUID, status: ExecutionStatus) -> ExecutionView:
        """The execution, once it is in this status."""

        async def there() -> ExecutionView | None:
            execution = await self.get(execution_id)
            return execution if execution.status is status else None

        found = await eventually(there)
        assert found is not None
        return found

    async def until_visited(self, node: str, times: int = 1) -> None:
        """Return once a node has begun this often."""

        async def visited() -> bool:
            return self.visits().count(node) >= times

        await eventually(visited)

    async def until_let_go(self, node: str) -> None:
        """Return once a node that clings has ended nevertheless."""

        async def let_go() -> bool:
            return (self.folder / f"let go {node}").exists()

        await eventually(let_go)

    def visits(self) -> list[str]:
        """The nodes that have begun, in order."""
        return [node for node, _ in self.keys()]

    def keys(self) -> list[tuple[str, str]]:
        """The nodes that have begun, in order, each with its idempotency key."""
        file = self.folder / "visits"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(node, key) for node, _, key in (line.partition(" ") for line in lines)]

    def release(self, node: str) -> None:
        """Let a node that holds go on."""
        (self.folder / f"release {node}").touch()

    async def pause(self, execution_id: UUID, at_node: str | None = None) -> None:
        """Ask for a pause."""
        await pause_execution(
            PauseExecution(execution_id=execution_id, caller=CALLER, at_node=at_node),
            uow_factory=self.platform.database.unit_of_work,
            nudges=self.platform.nudges,
        )

    async def stop(self, execution_id: UUID) -> None:
        """Stop it."""
        await stop_execution(
            StopExecution(execution_id=execution_id, caller=CALLER),
            uow_factory=self.platform.database.unit_of_work,
            nudges=self.platform.nudges,
        )

    async def resume(
        self,
        execution_id: UUID,
        *,
        state: dict[str, Any] | None = None,
        as_node: str | None = None,
        answers: JsonValue = None,
    ) -> None:
        """Let it go on."""
        await resume_execution(
            ResumeExecution(
                execution_id=execution_id,
                caller=CALLER,
                state=state,
                as_node=as_node,
                answers=answers,
            ),
            uow_factory=self.platform.database.unit_of_work,
            nudges=self.platform.nudges,
        )

    async def edit(
        self, execution_id: UUID, state: dict[str, Any], as_node: str | None = None
    ) -> None:
        """Change its state."""
        await edit_state(
            EditState(execution_id=execution_id, caller=CALLER, state=state, as_node=as_node),
            uow_factory=self.platform.database.unit_of_work,
            nudges=self.platform.nudges,
        )

    async def roll_back(
        self,
        execution_id: UUID,
        *,
        checkpoint_id: UUID | None = None,
        before_node: str | None = None,
        after_node: str | None = None,
        restores_files: bool = True,
    ) -> ExecutionView:
        """Take it back."""
        await roll_back_execution(
            RollBackExecution(
                execution_id=execution_id,
                caller=CALLER,
                to=Place(
                    checkpoint_id=checkpoint_id, before_node=before_node, after_node=after_node
                ),
                restores_files=restores_files,
            ),
            uow_factory=self.platform.database.unit_of_work,
            timelines=self._timelines,
            nudges=self.platform.nudges,
        )
        return await self.get(execution_id)

    async def branch(
        self,
        execution_id: UUID,
        checkpoint_id: str,
        *,
        state: dict[str, Any] | None = None,
        variants: dict[str, str] | None = None,
        starts: bool = True,
    ) -> UUID:
        """Begin another execution at one of its checkpoints."""
        return await branch_execution(
            BranchExecution(
                execution_id=execution_id,
                caller=CALLER,
                checkpoint_id=UUID(checkpoint_id),
                state=state,
                variants=variants or {},
                starts=starts,
            ),
            uow_factory=self.platform.database.unit_of_work,
            timelines=self._timelines,
            nudges=self.platform.nudges,
        )

    async def checkpoint_before(self, execution_id: UUID, node: str) -> str:
        """The newest checkpoint that the node follows."""
        execution = await self.get(execution_id)
        page = await self.history.of_lineage(execution.thread_id, limit=100)
        return next(item.checkpoint_id for item in page.items if item.next_nodes == [node])


@pytest.fixture
async def stations(platform: Platform, tmp_path: Path) -> Stations:
    """The workflow, registered."""
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    timeline = CheckpointHistory(platform.database.engine, serde)
    workflow = await register(platform.database.unit_of_work, "stations")
    return Stations(platform, workflow, tmp_path, timeline)


@pytest.fixture
async def stations_runner(settings: Settings, stations: Stations) -> AsyncIterator[LivingRunner]:
    """A runner that executes them."""
    del stations
    async with living_runner(settings) as living:
        yield living


def output_of(execution: ExecutionView) -> dict[str, Any]:
    """The final state."""
    assert isinstance(execution.output, dict)
    return execution.output


async def a_moment() -> None:
    """Long enough for something to happen that must not."""
    await asyncio.sleep(0.2)
