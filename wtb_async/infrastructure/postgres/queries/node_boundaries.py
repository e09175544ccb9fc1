"""The node boundaries of an execution, along the whole line of its threads."""

from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.executions.views import NodeBoundaryView
from wtb_async.application.views import Page
from wtb_async.domain.node_boundary import BoundaryStatus
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.queries.paging import page_of, read_cursor
from wtb_async.infrastructure.postgres.queries.thread_lineage import (
    BOUNDARIES,
    DURATION_MS,
    lineage_of,
)

_ALONG_LINEAGE = f"""
{lineage_of("execution.id = :execution_id")}
SELECT boundary.id, boundary.node, boundary.checkpoint_ns, boundary.task_id, boundary.attempt,
       boundary.status, boundary.entry_checkpoint_id, reached.exit_checkpoint_id,
       boundary.started_at, boundary.finished_at, {DURATION_MS} AS duration_ms,
       boundary.input, boundary.output, boundary.error, lineage.shared
FROM lineage
JOIN {BOUNDARIES}
CROSS JOIN LATERAL (
    SELECT min(checkpoint_id) AS exit_checkpoint_id FROM checkpoints
    WHERE boundary.status = 'completed' AND thread_id = lineage.newest_thread
      AND checkpoint_ns = boundary.checkpoint_ns
      AND parent_checkpoint_id = boundary.entry_checkpoint_id
) AS reached
"""  # noqa: S608 - only our own condition goes in
_PAGE = text(f"{_ALONG_LINEAGE} WHERE boundary.id > :after ORDER BY boundary.id LIMIT :rows")
_LAST_VISIT = text(f"""{_ALONG_LINEAGE}
WHERE boundary.node = :node AND boundary.checkpoint_ns = ''
  AND (NOT :completed OR reached.exit_checkpoint_id IS NOT NULL)
ORDER BY boundary.id DESC LIMIT 1
""")
_BEGINNING = UUID(int=0)


class NodeBoundaryQueries:
    """Reads `wtb_node_boundaries`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(
        self, execution_id: UUID, *, limit: int, cursor: str | None
    ) -> Page[NodeBoundaryView]:
        """The attempts of all nodes, oldest first. Raises NotFound."""
        await ExecutionQueries(self._engine).get(execution_id)
        after = _BEGINNING if cursor is None else read_cursor(cursor)
        parameters = {"execution_id": execution_id, "after": after, "rows": limit + 1}
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_PAGE, parameters)).mappings().all()
        return page_of(rows, _view, limit=limit)

    async def last_visit(
        self, execution_id: UUID, node: str, *, completed: bool
    ) -> NodeBoundaryView | None:
        """The newest attempt of a node of the graph itself; None if there is none.

        Args:
            execution_id: whose timeline is looked at.
            node: the node's name.
            completed: only attempts whose superstep was completed count.
        """
        parameters = {"execution_id": execution_id, "node": node, "completed": completed}
        async with self._engine.connect() as connection:
            row = (await connection.execute(_LAST_VISIT, parameters)).mappings().first()
        return None if row is None else _view(row)


def _view(row: RowMapping) -> NodeBoundaryView:
    values = dict(row)
    del values["id"]
    return NodeBoundaryView(**values | {"status": BoundaryStatus(row["status"])})
