"""Reads timelines: what happened on a thread, and on all threads that one execution has had."""

from datetime import datetime
from typing import Any
from uuid import UUID

from langgraph.checkpoint.serde.base import SerializerProtocol
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.views import CheckpointView, Page
from wtb_async.infrastructure.checkpoints.next_nodes import TRIGGERS, Triggers
from wtb_async.infrastructure.langgraph.plain_json import plain_json
from wtb_async.infrastructure.postgres.queries.paging import page_of, read_cursor

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

_PAGE = """
, page AS (
    SELECT DISTINCT ON (c.checkpoint_id)
        c.*, c.checkpoint_id::uuid AS position, timeline.id AS timeline_id
    FROM timeline JOIN checkpoints AS c
        ON c.thread_id = timeline.id::text AND c.checkpoint_ns = ''
    WHERE $2::text IS NULL OR c.checkpoint_id < $2
    ORDER BY c.checkpoint_id DESC, timeline.id
    LIMIT $3
)
SELECT position, timeline_id, checkpoint_id, parent_checkpoint_id,
       metadata ->> 'step' AS step, metadata ->> 'source' AS source, checkpoint ->> 'ts' AS ts,
       checkpoint -> 'channel_versions' AS versions, checkpoint -> 'versions_seen' AS seen,
       ARRAY(SELECT jsonb_object_keys(checkpoint -> 'channel_values')) AS inline,
       trigger.channels, trigger.types, trigger.blobs, asked.asked_types, asked.asked_blobs
FROM page
LEFT JOIN LATERAL (
    SELECT array_agg(b.channel) AS channels, array_agg(b.type) AS types, array_agg(b.blob) AS blobs
    FROM jsonb_each_text(page.checkpoint -> 'channel_versions') AS v
    JOIN checkpoint_blobs AS b
        ON b.thread_id = page.thread_id AND b.checkpoint_ns = '' AND b.channel = v.key
        AND b.version = v.value
    WHERE v.key LIKE ANY ($4::text[])
) AS trigger ON true
LEFT JOIN LATERAL (
    SELECT array_agg(w.type ORDER BY w.task_path, w.task_id, w.idx) AS asked_types,
           array_agg(w.blob ORDER BY w.task_path, w.task_id, w.idx) AS asked_blobs
    FROM checkpoint_writes AS w
    WHERE w.thread_id = page.thread_id AND w.checkpoint_ns = ''
        AND w.checkpoint_id = page.checkpoint_id AND w.channel = '__interrupt__'
) AS asked ON true
ORDER BY checkpoint_id DESC
"""


class CheckpointHistory:
    """Root checkpoints without their values, newest first."""

    def __init__(self, engine: AsyncEngine, serde: SerializerProtocol) -> None:
        self._engine = engine
        self._serde = serde

    async def of_thread(
        self, thread_id: UUID, *, limit: int, cursor: str | None = None
    ) -> Page[CheckpointView]:
        """One thread, with what it copied from its parent."""
        return await self._page(_THREAD, thread_id, limit, cursor)

    async def of_lineage(
        self, thread_id: UUID, *, limit: int, cursor: str | None = None
    ) -> Page[CheckpointView]:
        """All threads that takeovers and rollbacks join to this one, as one timeline.

        A fork shows in `thread_id`, and as two checkpoints with one parent.
        """
        return await self._page(_LINEAGE, thread_id, limit, cursor)

    async def _page(
        self, threads: str, thread_id: UUID, limit: int, cursor: str | None
    ) -> Page[CheckpointView]:
        before = None if cursor is None else str(read_cursor(cursor))
        parameters = (thread_id, before, limit + 1, list(TRIGGERS))
        async with self._engine.connect() as connection:
            result = await connection.exec_driver_sql(threads + _PAGE, parameters)
            rows = result.mappings().all()
        return page_of(rows, self._view, limit=limit, key="position")

    def _view(self, row: RowMapping) -> CheckpointView:
        values = self._loaded(row["types"], row["blobs"])
        triggers = Triggers(
            versions=row["versions"],
            seen=row["seen"],
            inline=row["inline"],
            values=dict(zip(row["channels"] or (), values, strict=True)),
        )
        return CheckpointView(
            checkpoint_id=row["checkpoint_id"],
            thread_id=row["timeline_id"],
            parent_checkpoint_id=row["parent_checkpoint_id"],
            step=int(row["step"]),
            source=row["source"],
            next_nodes=triggers.next_nodes(),
            created_at=datetime.fromisoformat(row["ts"]),
            interrupts=[
                {"id": asked.id, "value": plain_json(asked.value)}
                for write in self._loaded(row["asked_types"], row["asked_blobs"])
                for asked in write
            ],
        )

    def _loaded(self, types: list[str] | None, blobs: list[bytes] | None) -> list[Any]:
        """Deserialised values of parallel columns; NULL columns stand for no row."""
        rows = zip(types or (), blobs or (), strict=True)
        return [self._serde.loads_typed((kind, blob)) for kind, blob in rows]
