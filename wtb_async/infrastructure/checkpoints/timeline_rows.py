"""Rows of timelines: the root checkpoints of one thread, or of all threads of one execution."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.checkpoints.next_nodes import TRIGGERS

# Forks keep the ids of the checkpoints that they copy: each is shown once, on the thread where it
# was written. A branch or a split begins another execution, which has a lineage of its own.
_LINEAGE = """
WITH RECURSIVE above AS (
    SELECT id, parent_id, reason FROM wtb_threads WHERE id = $1
    UNION ALL
    SELECT parent.id, parent.parent_id, parent.reason
    FROM above JOIN wtb_threads AS parent ON parent.id = above.parent_id
    WHERE above.reason IN ('takeover', 'rollback')
), timeline AS (
    SELECT id FROM (SELECT id FROM above ORDER BY id LIMIT 1) AS oldest
    UNION ALL
    SELECT fork.id
    FROM timeline JOIN wtb_threads AS fork ON fork.parent_id = timeline.id
    WHERE fork.reason IN ('takeover', 'rollback')
)
"""
_THREAD = "WITH timeline AS (SELECT $1::uuid AS id)"

# What a runner went on writing after its run was taken from it is no part of what happened.
_BEFORE_A_TAKEOVER = """c.checkpoint_id <= ALL (
    SELECT coalesce(taken.fork_checkpoint_id, '') FROM wtb_threads AS taken
    WHERE taken.parent_id = timeline.id AND taken.reason = 'takeover'
)"""
_BEFORE = "$2::text IS NULL OR c.checkpoint_id < $2"
_THIS = "c.checkpoint_id = $2"
_THIS_OR_NEWEST = """c.checkpoint_id = coalesce($2::text, (
    SELECT max(newest.checkpoint_id) FROM checkpoints AS newest
    WHERE newest.thread_id = $1::uuid::text AND newest.checkpoint_ns = ''
))"""

# A task with an output has finished, and its question is answered. A task that a node's own code
# calls asks once more in the name of that node. A checkpoint without files of its own has those of
# the nearest earlier one.
_COLUMNS = """
SELECT position, timeline_id, checkpoint_id, parent_checkpoint_id,
       metadata ->> 'step' AS step, metadata ->> 'source' AS source, checkpoint ->> 'ts' AS ts,
       checkpoint -> 'channel_versions' AS versions, checkpoint -> 'versions_seen' AS seen,
       ARRAY(SELECT jsonb_object_keys(checkpoint -> 'channel_values')) AS inline,
       stored.channels, stored.types, stored.blobs,
       asked.asked_types, asked.asked_blobs, asked.asked_paths, asked.answered,
       (SELECT link.commit_id FROM wtb_checkpoint_files AS link
        WHERE link.thread_id = page.timeline_id AND link.task_id = ''
          AND link.checkpoint_id <= page.checkpoint_id
        ORDER BY link.checkpoint_id DESC LIMIT 1) AS file_commit_id
"""
_VALUES = """,
       checkpoint -> 'channel_values' AS inline_values,
       metadata -> 'counters_since_delta_snapshot' AS delta_counters
"""
_JOINS = """
FROM page
LEFT JOIN LATERAL (
    SELECT array_agg(b.channel) AS channels, array_agg(b.type) AS types, array_agg(b.blob) AS blobs
    FROM jsonb_each_text(page.checkpoint -> 'channel_versions') AS v
    JOIN checkpoint_blobs AS b
        ON b.thread_id = page.thread_id AND b.checkpoint_ns = '' AND b.channel = v.key
        AND b.version = v.value
    WHERE v.key LIKE ANY ($4::text[])
) AS stored ON true
LEFT JOIN LATERAL (
    SELECT array_agg(w.type ORDER BY w.task_path, w.task_id, w.idx) AS asked_types,
           array_agg(w.blob ORDER BY w.task_path, w.task_id, w.idx) AS asked_blobs,
           array_agg(w.task_path ORDER BY w.task_path, w.task_id, w.idx) AS asked_paths,
           array_agg(EXISTS (
               SELECT FROM checkpoint_writes AS output
               WHERE output.thread_id = w.thread_id AND output.checkpoint_ns = ''
                   AND output.checkpoint_id = w.checkpoint_id AND output.task_id = w.task_id
                   AND output.channel NOT IN
                       ('__interrupt__', '__resume__', '__error__', '__error_source_node__')
           ) ORDER BY w.task_path, w.task_id, w.idx) AS answered
    FROM checkpoint_writes AS w
    WHERE w.thread_id = page.thread_id AND w.checkpoint_ns = ''
        AND w.checkpoint_id = page.checkpoint_id AND w.channel = '__interrupt__'
        AND NOT starts_with(w.task_path, '~__pregel_push, ~')
) AS asked ON true
ORDER BY checkpoint_id DESC
"""


def _statement(
    threads: str, condition: str, columns: str = _COLUMNS, order: str = "timeline.id"
) -> str:
    """`order` says which thread to read a checkpoint on that several have."""
    return f"""{threads}, page AS (
    SELECT DISTINCT ON (c.checkpoint_id)
        c.*, c.checkpoint_id::uuid AS position, timeline.id AS timeline_id
    FROM timeline JOIN checkpoints AS c
        ON c.thread_id = timeline.id::text AND c.checkpoint_ns = ''
    WHERE {condition}
    ORDER BY c.checkpoint_id DESC, {order}
    LIMIT $3
) {columns} {_JOINS}"""  # noqa: S608 - only the constants above go in


_PAGE_OF_THREAD = _statement(_THREAD, _BEFORE)
_PAGE_OF_LINEAGE = _statement(_LINEAGE, f"({_BEFORE}) AND {_BEFORE_A_TAKEOVER}")
_ONE = _statement(_LINEAGE, f"{_THIS} AND {_BEFORE_A_TAKEOVER}")
_ONE_WITH_VALUES = _statement(
    _LINEAGE,
    f"{_THIS_OR_NEWEST} AND {_BEFORE_A_TAKEOVER}",
    _COLUMNS + _VALUES,
    "timeline.id <> $1::uuid, timeline.id",
)
_IS_OF_SUBGRAPH = f"""{_LINEAGE}
SELECT EXISTS (
    SELECT FROM timeline JOIN checkpoints AS c ON c.thread_id = timeline.id::text
    WHERE c.checkpoint_id = $2 AND c.checkpoint_ns <> ''
)
"""  # noqa: S608 - only a constant goes in
_EVERYTHING = ("%",)


class TimelineRows:
    """Reads rows that `StoredCheckpoint` understands; a lineage is named by any of its threads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_thread(
        self, thread_id: UUID, *, limit: int, before: str | None
    ) -> Sequence[RowMapping]:
        """Checkpoints of one thread, newest first, without the values of the state."""
        return await self._read(_PAGE_OF_THREAD, thread_id, before, limit, TRIGGERS)

    async def of_lineage(
        self, thread_id: UUID, *, limit: int, before: str | None
    ) -> Sequence[RowMapping]:
        """The same for all threads that takeovers and rollbacks join to this one."""
        return await self._read(_PAGE_OF_LINEAGE, thread_id, before, limit, TRIGGERS)

    async def one(self, thread_id: UUID, checkpoint_id: str) -> RowMapping:
        """One checkpoint of a lineage. Raises NotFound."""
        rows = await self._read(_ONE, thread_id, checkpoint_id, 1, TRIGGERS)
        if not rows:
            raise await self._not_found(thread_id, checkpoint_id)
        return rows[0]

    async def one_with_values(
        self, thread_id: UUID, checkpoint_id: str | None
    ) -> RowMapping | None:
        """One checkpoint of a lineage with the values of its state.

        It is read on the thread given where that has it: there its questions are answered.

        Args:
            thread_id: the present thread.
            checkpoint_id: None is the newest of the present thread.

        Returns:
            None if the newest is wanted and there is none yet.

        Raises:
            NotFound: the lineage has no such root checkpoint.
        """
        rows = await self._read(_ONE_WITH_VALUES, thread_id, checkpoint_id, 1, _EVERYTHING)
        if checkpoint_id is not None and not rows:
            raise await self._not_found(thread_id, checkpoint_id)
        return rows[0] if rows else None

    async def _read(
        self,
        statement: str,
        thread_id: UUID,
        checkpoint_id: str | None,
        limit: int,
        channels: Sequence[str],
    ) -> Sequence[RowMapping]:
        parameters = (thread_id, checkpoint_id, limit, list(channels))
        async with self._engine.connect() as connection:
            result = await connection.exec_driver_sql(statement, parameters)
            return result.mappings().all()

    async def _not_found(self, thread_id: UUID, checkpoint_id: str) -> NotFound:
        async with self._engine.connect() as connection:
            parameters = (thread_id, checkpoint_id)
            result = await connection.exec_driver_sql(_IS_OF_SUBGRAPH, parameters)
        if result.scalar_one():
            what = "root checkpoint (only these can be read, and this one is a subgraph's)"
            return NotFound(what, checkpoint_id)
        return NotFound("checkpoint of this execution", checkpoint_id)
