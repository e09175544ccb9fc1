"""Forks threads: a timeline is never rewritten, its copy goes on, with its files."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from wtb_async.application.executions.repositories import Fork
from wtb_async.domain.errors import NotFound

# A fork holds its head with all ancestors, because a DeltaChannel is rebuilt from the writes along
# the chain. Rows of a subgraph belong to the root checkpoint that its call started from, which
# their metadata names as the parent "". Ids stay, so task and interrupt ids stay. Files of a task
# count where its writes do; the newest of a thread are those with the last position.
_FORK = """
WITH RECURSIVE asked AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bool[]
    ) AS asked (target, source, checkpoint_id, reason, created_at, keeps_writes)
), fork AS MATERIALIZED (
    SELECT asked.*, coalesce(checkpoint_id, (
        SELECT max(c.checkpoint_id) FROM checkpoints AS c
        WHERE c.thread_id = asked.source AND c.checkpoint_ns = ''
    )) AS head
    FROM asked
), chain AS (
    SELECT f.source, f.head, c.checkpoint_id, c.parent_checkpoint_id
    FROM (SELECT DISTINCT source, head FROM fork) AS f
    JOIN checkpoints AS c
        ON c.thread_id = f.source AND c.checkpoint_ns = '' AND c.checkpoint_id = f.head
    UNION ALL
    SELECT chain.source, chain.head, c.checkpoint_id, c.parent_checkpoint_id
    FROM chain JOIN checkpoints AS c
        ON c.thread_id = chain.source AND c.checkpoint_ns = ''
        AND c.checkpoint_id = chain.parent_checkpoint_id
), subgraph AS MATERIALIZED (
    SELECT c.thread_id AS source, c.checkpoint_ns, c.checkpoint_id,
           c.metadata -> 'parents' ->> '' AS root_id
    FROM (SELECT DISTINCT source FROM fork) AS f
    JOIN checkpoints AS c ON c.thread_id = f.source AND c.checkpoint_ns <> ''
), kept AS MATERIALIZED (
    SELECT f.target, f.source, '' AS checkpoint_ns, chain.checkpoint_id,
           chain.checkpoint_id = f.head AS is_head, f.keeps_writes
    FROM fork AS f JOIN chain USING (source, head)
    UNION ALL
    SELECT f.target, f.source, s.checkpoint_ns, s.checkpoint_id, false, true
    FROM fork AS f JOIN chain USING (source, head)
    JOIN subgraph AS s ON s.source = f.source AND s.root_id = chain.checkpoint_id
    WHERE f.keeps_writes OR chain.checkpoint_id <> f.head
), threads AS (
    INSERT INTO wtb_threads (id, parent_id, fork_checkpoint_id, reason, created_at)
    SELECT target::uuid, source::uuid, head, reason, created_at FROM fork
), copied AS (
    INSERT INTO checkpoints
        (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
    SELECT kept.target, c.checkpoint_ns, c.checkpoint_id, c.parent_checkpoint_id, c.type,
           c.checkpoint, c.metadata
    FROM kept JOIN checkpoints AS c
        ON c.thread_id = kept.source AND c.checkpoint_ns = kept.checkpoint_ns
        AND c.checkpoint_id = kept.checkpoint_id
), blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT used.target, b.checkpoint_ns, b.channel, b.version, b.type, b.blob
    FROM (
        SELECT DISTINCT kept.target, kept.source, kept.checkpoint_ns, v.key, v.value
        FROM kept JOIN checkpoints AS c
            ON c.thread_id = kept.source AND c.checkpoint_ns = kept.checkpoint_ns
            AND c.checkpoint_id = kept.checkpoint_id
        CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS v
    ) AS used JOIN checkpoint_blobs AS b
        ON b.thread_id = used.source AND b.checkpoint_ns = used.checkpoint_ns
        AND b.channel = used.key AND b.version = used.value
), writes AS (
    INSERT INTO checkpoint_writes
        (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
    SELECT kept.target, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.task_path, w.idx,
           w.channel, w.type, w.blob
    FROM kept JOIN checkpoint_writes AS w
        ON w.thread_id = kept.source AND w.checkpoint_ns = kept.checkpoint_ns
        AND w.checkpoint_id = kept.checkpoint_id
    WHERE kept.keeps_writes OR NOT kept.is_head
), files AS (
    INSERT INTO wtb_checkpoint_files (thread_id, checkpoint_id, task_id, commit_id)
    SELECT f.target::uuid, link.checkpoint_id, link.task_id, link.commit_id
    FROM fork AS f JOIN wtb_checkpoint_files AS link ON link.thread_id = f.source::uuid
    WHERE (link.task_id = '' AND link.checkpoint_id <= f.head)
       OR (f.keeps_writes AND link.checkpoint_id = f.head)
    ORDER BY link.position
)
SELECT head FROM fork
WHERE head IS NOT NULL AND (source, head) NOT IN (SELECT source, checkpoint_id FROM chain)
"""


async def fork_threads(connection: AsyncConnection, forks: Sequence[Fork]) -> None:
    """Make every thread asked for, as a copy of its parent up to the checkpoint it forks at.

    One statement in the caller's transaction: the rows of `wtb_threads`, the checkpoints with all
    ancestors and the subgraphs' checkpoints that belong to them, the values these refer to, the
    pending writes, and which files belong to them. A parent without any checkpoint gives an empty
    thread.

    Args:
        connection: the connection of the unit of work.
        forks: the threads to make; many may share a parent.

    Raises:
        NotFound: a parent has no such root checkpoint; the caller rolls back.
    """
    result = await connection.exec_driver_sql(
        _FORK,
        (
            [str(fork.thread.id) for fork in forks],
            [str(fork.thread.parent_id) for fork in forks],
            [fork.thread.fork_checkpoint_id for fork in forks],
            [fork.thread.reason.value for fork in forks],
            [fork.thread.created_at for fork in forks],
            [fork.keeps_writes for fork in forks],
        ),
    )
    if missing := result.scalars().first():
        raise NotFound("checkpoint", missing)
