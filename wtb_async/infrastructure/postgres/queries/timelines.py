"""Moments of executions, for commands that go back to them."""

from uuid import UUID

from wtb_async.application.executions.views import CheckpointView, NodeBoundaryView
from wtb_async.infrastructure.checkpoints.history import CheckpointHistory
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries


class PostgresTimelines:
    """Reads checkpoints and node boundaries."""

    def __init__(self, history: CheckpointHistory, boundaries: NodeBoundaryQueries) -> None:
        self._history = history
        self._boundaries = boundaries

    async def checkpoint(self, thread_id: UUID, checkpoint_id: UUID) -> CheckpointView:
        """A root checkpoint on the lineage of this thread. Raises NotFound."""
        return await self._history.checkpoint(thread_id, checkpoint_id)

    async def last_visit(
        self, execution_id: UUID, node: str, *, completed: bool
    ) -> NodeBoundaryView | None:
        """The last time that the execution's timeline came to a node of the graph itself."""
        return await self._boundaries.last_visit(execution_id, node, completed=completed)
