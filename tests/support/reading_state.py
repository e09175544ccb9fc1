"""Executions whose graphs run in the test, and their states."""

import dataclasses
from collections.abc import Sequence
from uuid import UUID

from arranging import accept, register

from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.ids import new_id
from wtb_async.infrastructure.checkpoints.display_reader import DisplayReader
from wtb_async.infrastructure.checkpoints.state import StateReader
from wtb_async.infrastructure.langgraph.graph_loader import Graph
from wtb_async.infrastructure.langgraph.inspection import ChannelsAt, ShownChannels
from wtb_async.infrastructure.langgraph.rebuild_channels import rebuild_channels
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries


async def accepted(database: Database) -> ExecutionView:
    """An execution with an empty thread; its graph is the test's."""
    workflow = await register(database.unit_of_work, f"letters {new_id()}", project="letters")
    plan = await accept(database.unit_of_work, workflow)
    return await ExecutionQueries(database.engine).get(plan.executions[0].execution_id)


def reader_of(database: Database, database_url: str, graph: Graph) -> StateReader:
    """Reads states; DeltaChannels are rebuilt in this process, with the test's graph."""

    async def rebuild(
        _: ExecutionView, thread_id: UUID, checkpoint_id: str, names: Sequence[str]
    ) -> ShownChannels:
        wanted = ChannelsAt(
            database_url=database_url,
            thread_id=str(thread_id),
            checkpoint_id=checkpoint_id,
            names=names,
        )
        return await rebuild_channels(graph, wanted)

    return StateReader(database.engine, DisplayReader(), rebuild)


def moved_to(execution: ExecutionView, thread_id: UUID) -> ExecutionView:
    """The execution after a rollback or a takeover."""
    return dataclasses.replace(execution, thread_id=thread_id)
