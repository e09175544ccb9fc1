"""How often the nodes of a batch test were executed, and how often that was spared."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from wtb_async.application.batches.views import NodeExecutions
from wtb_async.infrastructure.postgres.queries.thread_lineage import DURATION_MS, lineage_of

_OF_BATCH = text(f"""{lineage_of("execution.batch_test_id = :batch_id")}, uses AS (
    SELECT id, before, count(*) AS executions FROM lineage GROUP BY id, before
), counted AS (
    SELECT {DURATION_MS} AS ms,
           sum(uses.executions) FILTER (
               WHERE uses.before IS NULL OR boundary.entry_checkpoint_id < uses.before
           ) - 1 AS others
    FROM uses JOIN wtb_node_boundaries AS boundary ON boundary.thread_id = uses.id
    GROUP BY boundary.thread_id, boundary.id, boundary.started_at, boundary.finished_at
)
SELECT count(*) AS run, COALESCE(sum(others) FILTER (WHERE others > 0), 0)::bigint AS saved,
       COALESCE(sum(others * ms) FILTER (WHERE others > 0), 0)::float8 AS saved_ms
FROM counted
""")  # noqa: S608 - only our own condition goes in


async def node_executions_of(connection: AsyncConnection, batch_id: UUID) -> NodeExecutions:
    """Count a batch's node boundaries, each attempt of each node as one execution."""
    row = (await connection.execute(_OF_BATCH, {"batch_id": batch_id})).mappings().one()
    return NodeExecutions(**row)
