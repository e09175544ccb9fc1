"""The threads that an execution's past lies on, from its present one up to its first."""

BOUNDARIES = """wtb_node_boundaries AS boundary ON boundary.thread_id = lineage.id
    AND (lineage.before IS NULL OR boundary.entry_checkpoint_id < lineage.before)"""
"""What the `lineage` below is joined with to reach the node boundaries that lie on it."""

DURATION_MS = """
EXTRACT(EPOCH FROM boundary.finished_at - boundary.started_at)::float8 * 1000"""

# A takeover and a split go on from all that their thread held. Any other fork leaves out what the
# thread did from the fork checkpoint on: ids of checkpoints are ordered by time, in subgraphs too.
_LINEAGE = """
WITH RECURSIVE lineage AS (
    SELECT execution.id AS execution_id, thread.id, thread.parent_id, thread.fork_checkpoint_id,
           thread.reason, NULL::text AS before, FALSE AS shared, thread.id::text AS newest_thread
    FROM wtb_executions AS execution JOIN wtb_threads AS thread ON thread.id = execution.thread_id
    WHERE {condition}
    UNION ALL
    SELECT child.execution_id, parent.id, parent.parent_id, parent.fork_checkpoint_id,
           parent.reason,
           CASE WHEN child.reason IN ('takeover', 'split') THEN child.before
                ELSE LEAST(child.before, child.fork_checkpoint_id) END,
           child.shared OR child.reason IN ('branch', 'split', 'leave'), child.newest_thread
    FROM lineage AS child JOIN wtb_threads AS parent ON parent.id = child.parent_id
)"""


def lineage_of(condition: str) -> str:
    """A `WITH` clause that walks up from the threads of some executions.

    Its rows have the `execution_id`, the `id` of a thread, the checkpoint `before` which what it
    did belongs to the execution (NULL: all of it), whether it is `shared` with other executions,
    and the `newest_thread` that it was reached from. Each execution has rows of its own.

    Args:
        condition: which executions, in terms of `execution`.
    """
    return _LINEAGE.format(condition=condition)
