"""The node boundaries of an execution, along the whole line of its threads."""

from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.views import NodeBoundaryView, Page
from wtb_async.domain.node_boundary import BoundaryStatus
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.queries.paging import page_of, read_cursor

# A takeover and a split go on from all that their thread held. Any other fork leaves out what the
# thread did from the fork checkpoint on: ids of checkpoints are ordered by time, in subgraphs too.
_ALONG_LINEAGE = """
WITH RECURSIVE lineage AS (
    SELECT thread.id, thread.parent_id, thread.fork_checkpoint_id, thread.reason,
           NULL::text AS before, FALSE AS shared, thread.id::text AS newest_thread
    FROM wtb_executions AS execution JOIN wtb_threads AS thread ON thread.id = execution.thread_id
    WHERE execution.id = :execution_id
    UNION ALL
    SELECT parent.id, parent.parent_id, parent.fork_checkpoint_id, parent.reason,
           CASE WHEN child.reason IN ('takeover', 'split') THEN child.before
                ELSE LEAST(child.before, child.fork_checkpoint_id) END,
           child.shared OR child.reason IN ('branch', 'split', 'leave'), child.newest_thread
    FROM lineage AS child JOIN wtb_threads AS parent ON parent.id = child.parent_id
)
SELECT boundary.id, boundary.node, boundary.checkpoint_ns, boundary.task_id, boundary.attempt,
       boundary.status, boundary.entry_checkpoint_id, reached.exit_checkpoint_id,
       boundary.started_at, boundary.finished_at,
       EXTRACT(EPOCH FROM boundary.finished_at - boundary.started_at)::float8 * 1000
           AS duration_ms,
       boundary.input, boundary.output, boundary.error, lineage.shared
FROM lineage
JOIN wtb_node_boundaries AS boundary ON boundary.thread_id = lineage.id
    AND (lineage.before IS NULL OR boundary.entry_checkpoint_id < lineage.before)
CROSS JOIN LATERAL (
    SELECT min(checkpoint_id) AS exit_checkpoint_id FROM checkpoints
    WHERE boundary.status = 'completed' AND thread_id = lineage.newest_thread
      AND checkpoint_ns = boundary.checkpoint_ns
      AND parent_checkpoint_id = boundary.entry_checkpoint_id
) AS reached
"""
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
