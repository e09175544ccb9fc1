"""Timelines: what happened on a thread, and on all threads that one execution has had."""

from uuid import UUID

from langgraph.checkpoint.serde.base import SerializerProtocol
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.executions.views import CheckpointView
from wtb_async.application.views import Page
from wtb_async.infrastructure.checkpoints.stored_checkpoint import StoredCheckpoint
from wtb_async.infrastructure.checkpoints.timeline_rows import TimelineRows
from wtb_async.infrastructure.postgres.queries.paging import page_of, read_cursor


class CheckpointHistory:
    """Root checkpoints without their values, newest first."""

    def __init__(self, engine: AsyncEngine, serde: SerializerProtocol) -> None:
        self._rows = TimelineRows(engine)
        self._serde = serde

    async def of_thread(
        self, thread_id: UUID, *, limit: int, cursor: str | None = None
    ) -> Page[CheckpointView]:
        """One thread, with what it copied from its parent."""
        rows = await self._rows.of_thread(thread_id, limit=limit + 1, before=_before(cursor))
        return page_of(rows, self._view, limit=limit, key="position")

    async def of_lineage(
        self, thread_id: UUID, *, limit: int, cursor: str | None = None
    ) -> Page[CheckpointView]:
        """All threads that takeovers and rollbacks join to this one, as one timeline.

        A fork shows in `thread_id`, and as two checkpoints with one parent.
        """
        rows = await self._rows.of_lineage(thread_id, limit=limit + 1, before=_before(cursor))
        return page_of(rows, self._view, limit=limit, key="position")

    async def checkpoint(self, thread_id: UUID, checkpoint_id: UUID) -> CheckpointView:
        """One item of the lineage's timeline. Raises NotFound."""
        return self._view(await self._rows.one(thread_id, str(checkpoint_id)))

    def _view(self, row: RowMapping) -> CheckpointView:
        stored = StoredCheckpoint(row, self._serde)
        return CheckpointView(
            checkpoint_id=row["checkpoint_id"],
            thread_id=row["timeline_id"],
            parent_checkpoint_id=row["parent_checkpoint_id"],
            step=int(row["step"]),
            source=row["source"],
            next_nodes=stored.next_nodes(),
            created_at=stored.created_at,
            file_commit_id=row["file_commit_id"],
            interrupts=stored.questions(),
        )


def _before(cursor: str | None) -> str | None:
    return None if cursor is None else str(read_cursor(cursor))
