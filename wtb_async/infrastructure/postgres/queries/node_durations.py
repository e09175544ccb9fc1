"""How long the nodes of some executions took, and which of that they shared with others."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from wtb_async.application.batches.views import NodeDuration
from wtb_async.infrastructure.postgres.queries.thread_lineage import (
    BOUNDARIES,
    DURATION_MS,
    lineage_of,
)

_OF_EXECUTIONS = text(f"""{lineage_of("execution.id = ANY (CAST(:execution_ids AS uuid[]))")}
SELECT lineage.execution_id, boundary.node, lineage.shared, count(*) AS count,
       sum({DURATION_MS}) AS duration_ms
FROM lineage JOIN {BOUNDARIES}
WHERE boundary.checkpoint_ns = ''
GROUP BY lineage.execution_id, boundary.node, lineage.shared
ORDER BY min(boundary.started_at), boundary.node
""")  # noqa: S608 - only our own condition goes in


async def node_durations_of(
    connection: AsyncConnection, execution_ids: Collection[UUID]
) -> dict[UUID, list[NodeDuration]]:
    """The nodes of each execution's graph, in the order in which they were first executed."""
    rows = await connection.execute(_OF_EXECUTIONS, {"execution_ids": list(execution_ids)})
    durations: dict[UUID, list[NodeDuration]] = {each: [] for each in execution_ids}
    for row in rows.mappings():
        values = dict(row)
        durations[values.pop("execution_id")].append(NodeDuration(**values))
    return durations
