"""Forks threads: a timeline is never rewritten, its copy goes on."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

# Everything of the thread is copied, pending writes too: what finished in the superstep that the
# lost runner was in is not run again. Checkpoint ids stay, so task and interrupt ids stay.
_FORK_AT_HEAD = """
WITH pair AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[]) AS pair (source, target)
), blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT pair.target, b.checkpoint_ns, b.channel, b.version, b.type, b.blob
    FROM pair JOIN checkpoint_blobs AS b ON b.thread_id = pair.source
), writes AS (
    INSERT INTO checkpoint_writes
        (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
    SELECT pair.target, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.task_path, w.idx,
           w.channel, w.type, w.blob
    FROM pair JOIN checkpoint_writes AS w ON w.thread_id = pair.source
), copied AS (
    INSERT INTO checkpoints
        (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
    SELECT pair.target, c.checkpoint_ns, c.checkpoint_id, c.parent_checkpoint_id, c.type,
           c.checkpoint, c.metadata
    FROM pair JOIN checkpoints AS c ON c.thread_id = pair.source
    RETURNING thread_id, checkpoint_ns, checkpoint_id
)
UPDATE wtb_threads AS thread SET fork_checkpoint_id = head.checkpoint_id
FROM (
    SELECT thread_id, max(checkpoint_id) AS checkpoint_id FROM copied
    WHERE checkpoint_ns = '' GROUP BY thread_id
) AS head
WHERE thread.id = head.thread_id::uuid
"""


async def fork_at_head(connection: AsyncConnection, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Copy each source thread, as it stands, to its target thread.

    Runs in the caller's transaction, and notes in `wtb_threads` which checkpoint was the head.

    Args:
        connection: the connection of the unit of work.
        pairs: `(source, target)` thread ids; the target rows of `wtb_threads` exist already.
    """
    sources = [str(source) for source, _ in pairs]
    targets = [str(target) for _, target in pairs]
    await connection.exec_driver_sql(_FORK_AT_HEAD, (sources, targets))
