"""Batch tests and their cases."""

from collections.abc import Collection
from dataclasses import fields
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.batches.repositories import Conclusion
from wtb_async.domain.audit import runner_actor
from wtb_async.domain.batch_test import BATCH_ENDED, BatchStatus, BatchTest
from wtb_async.domain.errors import NotFound
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.batch_status_statements import CONCLUDE, MARK_STARTED
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.scoring_statements import (
    COMPARES_PAIRS,
    OPEN_STATUSES,
    UNDER_WAY,
    unscored,
)

_NOT_ENDED = ", ".join(f"'{status}'" for status in BatchStatus if status not in BATCH_ENDED)

# A paused batch is scored as far as it came. When all of it has ended it is as it was told to be,
# unless it is being stopped.
_UNFINISHED = text(
    f"""
    SELECT batch.id FROM wtb_batch_tests AS batch
    WHERE batch.status IN ({_NOT_ENDED}) AND (
        ({UNDER_WAY} AND NOT EXISTS (
            SELECT FROM wtb_executions AS execution
            WHERE execution.batch_test_id = batch.id AND execution.status IN ({OPEN_STATUSES})))
        OR (batch.evaluators <> '[]' AND EXISTS (
            SELECT FROM wtb_executions AS own
            WHERE {unscored("batch.id", "batch.baseline", COMPARES_PAIRS)}
              AND own.finished_at < clock_timestamp() - make_interval(secs => :idle_seconds))))
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

    async def mark_started(self, batch_ids: Collection[UUID], runner_id: UUID) -> None:
        """Move pending batches to running, with audit entries and outbox events."""
        parameters = {"ids": list(batch_ids), "actor": runner_actor(runner_id)}
        await self._session.execute(MARK_STARTED, parameters)

    async def lock(self, batch_id: UUID) -> BatchTest:
        """A batch test for a change. Raises NotFound."""
        query = (
            select(BatchTest)
            .where(tables.batch_tests.c.id == batch_id)
            .with_for_update(key_share=True)
        )
        batch = (await self._session.scalars(query)).one_or_none()
        if batch is None:
            raise NotFound("batch test", batch_id)
        return batch

    async def failures(self, batch_id: UUID) -> int:
        """How many of its executions stand failed."""
        executions = tables.executions
        query = select(func.count()).where(
            executions.c.batch_test_id == batch_id, executions.c.status == ExecutionStatus.FAILED
        )
        return int(await self._session.scalar(query) or 0)

    async def conclude(self, batch_ids: Collection[UUID]) -> Conclusion:
        """Move the batches of which nothing is left to wait for, with audit entries and events."""
        found = await self._session.execute(CONCLUDE, {"ids": list(batch_ids)})
        rows = list(found.mappings())
        return Conclusion(
            moved=[row["id"] for row in rows if row["moved"]],
            failing=[row["id"] for row in rows if row["failing"]],
            left_behind=[row["id"] for row in rows if row["left_behind"]],
        )

    async def unfinished(self, idle_seconds: float) -> list[UUID]:
        """Batches that wait for scores or for their end although nobody works on them."""
        rows = await self._session.execute(_UNFINISHED, {"idle_seconds": idle_seconds})
        return list(rows.scalars())
