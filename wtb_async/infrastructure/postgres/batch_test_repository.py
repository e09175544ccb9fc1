"""Batch tests and their cases."""

from collections.abc import Collection
from dataclasses import fields
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.domain.batch_test import BATCH_TRANSITIONS, BatchStatus, BatchTest
from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.scoring_statements import (
    ALL_SCORED,
    ENDED_STATUSES,
    OPEN_STATUSES,
    SUMMARIZED,
)

# An empty `:condition` moves every batch named in `:ids`.
_MOVE = """
WITH moved AS (
    UPDATE wtb_batch_tests AS batch
    SET status = '{target}', version = version + 1, {timestamp} = clock_timestamp()
    WHERE batch.id = ANY (CAST(:ids AS uuid[])) AND batch.status IN ({sources}) {condition}
    RETURNING batch.id, batch.version
), events AS (
    INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)
    SELECT 'batch_test', id, version, '{event}', '{{}}' FROM moved
), audit AS (
    INSERT INTO wtb_audit_log
        (actor, action, aggregate, aggregate_id, status_before, status_after)
    SELECT '{actor}', '{event}', 'batch_test', id, '{before}', '{target}' FROM moved
)
SELECT id FROM moved
"""


def _sources(target: BatchStatus) -> str:
    return ", ".join(f"'{status}'" for status in BATCH_TRANSITIONS.sources(target))


_MARK_STARTED = text(
    _MOVE.format(
        target="running",
        timestamp="started_at",
        sources="'pending'",
        condition="",
        event="BatchStarted",
        actor="runner",
        before="pending",
    )
)

# A batch that was changed while this waited for its row may have executions that this statement
# does not see, and is left to whoever sees them end: `seen` is the row as it was before the wait.
_COMPLETE = text(
    _MOVE.format(
        target="completed",
        timestamp="finished_at",
        sources=_sources(BatchStatus.COMPLETED),
        event="BatchCompleted",
        actor="evaluation",
        before="running",
        # The version that this statement saw when it began: whoever changes the batch while it
        # waits for the row, to have it scored again, has not been seen in the executions.
        condition=f"""
      AND batch.version = (SELECT version FROM wtb_batch_tests AS seen WHERE seen.id = batch.id)
      AND {ALL_SCORED} AND {SUMMARIZED}""",  # noqa: S608 - conditions without values
    )
)

_UNFINISHED = text(
    f"""
    SELECT batch.id FROM wtb_batch_tests AS batch
    WHERE batch.status = 'running' AND (
        NOT EXISTS (
            SELECT FROM wtb_executions AS execution
            WHERE execution.batch_test_id = batch.id AND execution.status IN ({OPEN_STATUSES}))
        OR (batch.evaluators <> '[]' AND EXISTS (
            SELECT FROM wtb_executions AS execution
            WHERE execution.batch_test_id = batch.id AND execution.status IN ({ENDED_STATUSES})
              AND execution.scored_at IS NULL
              AND (execution.scoring_until IS NULL
                   OR execution.scoring_until < clock_timestamp())
              AND execution.finished_at
                  < clock_timestamp() - make_interval(secs => :idle_seconds))))
    """  # noqa: S608 - statuses of the domain
)

_BATCH = tuple(field.name for field in fields(BatchTest))


class PostgresBatchTestRepository:
    """Statements on batch tests."""

    def __init__(self, session: AsyncSession, bulk: BulkWriter) -> None:
        self._session = session
        self._bulk = bulk

    def add(self, batch: BatchTest) -> None:
        """Insert a batch when the unit of work commits."""
        self._bulk.add(tables.batch_tests, {name: getattr(batch, name) for name in _BATCH})

    async def lock(self, batch_id: UUID) -> BatchTest:
        """A batch for a change. Raises NotFound."""
        query = select(BatchTest).where(tables.batch_tests.c.id == batch_id).with_for_update()
        batch = await self._session.scalar(query)
        if batch is None:
            raise NotFound("batch test", batch_id)
        return batch

    async def mark_started(self, batch_ids: Collection[UUID]) -> None:
        """Move pending batches to running, with audit entries and outbox events."""
        await self._session.execute(_MARK_STARTED, {"ids": list(batch_ids)})

    async def complete_if_done(self, batch_ids: Collection[UUID]) -> bool:
        """Complete the running batches whose executions have all ended and been scored."""
        moved = await self._session.execute(_COMPLETE, {"ids": list(batch_ids)})
        return moved.scalar() is not None

    async def unfinished(self, idle_seconds: float) -> list[UUID]:
        """Running batches that wait for scores or completion although nobody works on them."""
        rows = await self._session.execute(_UNFINISHED, {"idle_seconds": idle_seconds})
        return list(rows.scalars())
