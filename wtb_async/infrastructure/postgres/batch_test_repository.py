"""Batch tests, their cases, and what evaluators said."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.ports import Conclusion, ScoredExecution, ScoringJob
from wtb_async.domain.batch_test import BatchTest
from wtb_async.domain.errors import NotFound
from wtb_async.domain.execution import ENDED, ExecutionStatus
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.batch_status_statements import CONCLUDE, MARK_STARTED
from wtb_async.infrastructure.postgres.bulk import BulkWriter

_ENDED = ", ".join(f"'{status}'" for status in ENDED)
_OPEN = ", ".join(f"'{status}'" for status in ExecutionStatus if status not in ENDED)

_CLAIM_UNSCORED = text(
    f"""
    WITH taken AS (
        UPDATE wtb_executions
        SET scoring_until = clock_timestamp() + make_interval(secs => :claim_seconds)
        WHERE id = ANY (ARRAY(
            SELECT id FROM wtb_executions
            WHERE batch_test_id = :batch_id AND status IN ({_ENDED}) AND scored_at IS NULL
              AND (scoring_until IS NULL OR scoring_until < clock_timestamp())
              AND EXISTS (SELECT FROM wtb_batch_tests
                          WHERE id = :batch_id AND evaluators <> '[]')
            ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED))
        RETURNING *
    )
    SELECT taken.id AS execution_id, taken.version, taken.status, taken.input AS inputs,
           taken.output AS outputs, tested.reference AS reference_outputs, tested.metadata,
           taken.duration_ms, taken.error, batch.evaluators, workflow.project
    FROM taken
    JOIN wtb_test_cases AS tested ON tested.id = taken.test_case_id
    JOIN wtb_batch_tests AS batch ON batch.id = taken.batch_test_id
    JOIN wtb_workflows AS workflow ON workflow.id = taken.workflow_id
    """  # noqa: S608 - statuses of the domain
)

# Somebody may have taken an execution back, or let it go on, while evaluators looked at it.
_RECORD_SCORES = """
WITH standing AS (
    UPDATE wtb_executions AS execution
    SET scored_at = clock_timestamp(), scoring_until = NULL
    FROM unnest($1::uuid[], $2::int[]) AS seen (id, version)
    WHERE execution.id = seen.id AND execution.version = seen.version
    RETURNING execution.id
)
INSERT INTO wtb_evaluation_results (execution_id, key, evaluator, score, comment, error)
SELECT execution_id, key, evaluator, score::jsonb, comment, error
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS given (execution_id, key, evaluator, score, comment, error)
JOIN standing ON standing.id = given.execution_id
ON CONFLICT (execution_id, key) DO NOTHING
"""

_UNFINISHED = text(
    f"""
    SELECT batch.id FROM wtb_batch_tests AS batch
    WHERE batch.status = 'running' AND (
        NOT EXISTS (
            SELECT FROM wtb_executions AS execution
            WHERE execution.batch_test_id = batch.id AND execution.status IN ({_OPEN}))
        OR (batch.evaluators <> '[]' AND EXISTS (
            SELECT FROM wtb_executions AS execution
            WHERE execution.batch_test_id = batch.id AND execution.status IN ({_ENDED})
              AND execution.scored_at IS NULL
              AND (execution.scoring_until IS NULL
                   OR execution.scoring_until < clock_timestamp())
              AND execution.finished_at
                  < clock_timestamp() - make_interval(secs => :idle_seconds))))
    """  # noqa: S608 - statuses of the domain
)

_BATCH = tuple(field.name for field in fields(BatchTest))


class PostgresBatchTestRepository:
    """Statements on batch tests and evaluation results."""

    def __init__(self, session: AsyncSession, bulk: BulkWriter) -> None:
        self._session = session
        self._bulk = bulk

    def add(self, batch: BatchTest) -> None:
        """Insert a batch when the unit of work commits."""
        self._bulk.add(tables.batch_tests, {name: getattr(batch, name) for name in _BATCH})

    async def mark_started(self, batch_ids: Collection[UUID]) -> None:
        """Move pending batches to running, with audit entries and outbox events."""
        await self._session.execute(MARK_STARTED, {"ids": list(batch_ids)})

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

    async def claim_unscored(
        self, batch_id: UUID, limit: int, claim_seconds: float
    ) -> list[ScoringJob]:
        """Take ended executions of the batch that no evaluator has seen yet, for a while."""
        rows = await self._session.execute(
            _CLAIM_UNSCORED.columns(
                inputs=tables.executions.c.input.type,
                outputs=tables.executions.c.output.type,
                reference_outputs=tables.test_cases.c.reference.type,
                metadata=tables.test_cases.c.metadata.type,
                error=tables.executions.c.error.type,
                evaluators=tables.batch_tests.c.evaluators.type,
            ),
            {"batch_id": batch_id, "limit": limit, "claim_seconds": claim_seconds},
        )
        return [ScoringJob(**row) for row in rows.mappings()]

    async def record_scores(self, scored: Sequence[ScoredExecution]) -> None:
        """Keep evaluators' results, once per execution and key, and mark the executions scored.

        Results of an outcome that no longer stands are dropped.
        """
        rows = [
            (item.execution_id, s.key, s.evaluator, _score_text(s.score), s.comment, s.error)
            for item in scored
            for s in item.scores
        ]
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(6)]
        connection = await self._session.connection()
        ids = [item.execution_id for item in scored]
        versions = [item.version for item in scored]
        await connection.exec_driver_sql(_RECORD_SCORES, (ids, versions, *columns))

    async def unfinished(self, idle_seconds: float) -> list[UUID]:
        """Running batches that wait for scores or completion although nobody works on them."""
        rows = await self._session.execute(_UNFINISHED, {"idle_seconds": idle_seconds})
        return list(rows.scalars())


def _score_text(score: bool | float | None) -> str | None:
    match score:
        case None:
            return None
        case bool():
            return "true" if score else "false"
        case _:
            return repr(float(score))
