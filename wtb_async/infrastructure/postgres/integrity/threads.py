"""Checks of threads: something leads to each, and what was forked or visited is there."""

from wtb_async.domain.integrity import Check, Severity
from wtb_async.infrastructure.postgres.integrity.executions import IS_SETTLED
from wtb_async.infrastructure.postgres.integrity.row_inspection import RowCheck

IS_ORPHAN = """(
    NOT EXISTS (SELECT FROM wtb_executions WHERE thread_id = item.id)
    AND NOT EXISTS (SELECT FROM wtb_runs WHERE thread_id = item.id)
    AND NOT EXISTS (SELECT FROM wtb_threads WHERE parent_id = item.id)
    AND NOT EXISTS (SELECT FROM wtb_workspaces
                    WHERE thread_id = item.id AND removed_at IS NULL))"""
"""No execution, run, fork or directory on a disk has it.

An execution that was rolled back twice without having gone on leaves such a thread, which holds
nothing of its own.
"""

ORPHAN_THREADS = RowCheck(
    check=Check(
        name="orphan_threads",
        severity=Severity.INFO,
        title="a thread that no execution, run or fork leads to",
    ),
    table="wtb_threads",
    key={"id": "uuid"},
    is_looked_at=IS_SETTLED,
    is_broken=IS_ORPHAN,
    subject="item.id",
    detail="format('made by a %s at %s', item.reason, item.created_at)",
)

CHECKPOINTS_OF_FORKS = RowCheck(
    check=Check(
        name="fork_checkpoints",
        severity=Severity.ERROR,
        title="a fork without the checkpoint that it began at",
    ),
    table="wtb_threads",
    key={"id": "uuid"},
    is_looked_at=f"item.fork_checkpoint_id IS NOT NULL AND {IS_SETTLED}",
    is_broken="""NOT EXISTS (
        SELECT FROM checkpoints WHERE thread_id = item.id::text
        AND checkpoint_ns = '' AND checkpoint_id = item.fork_checkpoint_id)""",
    subject="item.id",
    detail="format('checkpoint %s of thread %s', item.fork_checkpoint_id, item.parent_id)",
)

CHECKPOINTS_OF_BOUNDARIES = RowCheck(
    check=Check(
        name="boundary_checkpoints",
        severity=Severity.ERROR,
        title="a node that ran on from a checkpoint which its thread does not have",
    ),
    table="wtb_node_boundaries",
    key={"thread_id": "uuid", "id": "uuid"},
    is_looked_at=IS_SETTLED,
    is_broken="""NOT EXISTS (
        SELECT FROM checkpoints WHERE thread_id = item.thread_id::text
        AND checkpoint_id = item.entry_checkpoint_id)""",
    subject="item.id",
    detail="""format(
        'node %s of thread %s, checkpoint %s', item.node, item.thread_id,
        item.entry_checkpoint_id)""",
)
