"""Executions: single ones as aggregates, planned ones in bulk with their runs and threads."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from wtb_async.application.executions.plan import ExecutionPlan
from wtb_async.domain.errors import NotFound
from wtb_async.domain.execution import Execution, ExecutionStatus
from wtb_async.domain.run import ForkReason, Run, RunStatus
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.batch_execution_repository import release_runs
from wtb_async.infrastructure.postgres.json_text import to_json_text
from wtb_async.infrastructure.postgres.scoring_statements import FORGET_PREFERENCES

# Only ids and positions travel per execution; choices, and inputs of no test case, once each.
_ACCEPT = f"""
WITH planned AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::int[], $21::int[]
    ) WITH ORDINALITY AS planned
        (execution_id, run_id, thread_id, input_at, choice_at, repetition, beginning_at, number)
), inputs AS MATERIALIZED (
    SELECT test_case_id, number::int - 1 AS at, COALESCE(input::jsonb,
        (SELECT tested.input FROM wtb_test_cases AS tested WHERE tested.id = test_case_id)) AS input
    FROM unnest($7::uuid[], $8::text[]) WITH ORDINALITY AS given (test_case_id, input, number)
), choices AS MATERIALIZED (
    SELECT variants::jsonb, workflow_variant, number::int - 1 AS at
    FROM unnest($9::text[], $11::text[])
        WITH ORDINALITY AS given (variants, workflow_variant, number)
), beginnings AS MATERIALIZED (
    SELECT variants::jsonb, workflow_variant, gates::jsonb, number::int - 1 AS at
    FROM unnest($22::text[], $23::text[], $24::text[])
        WITH ORDINALITY AS given (variants, workflow_variant, gates, number)
), new_threads AS (
    INSERT INTO wtb_threads (id, reason, created_at)
    SELECT thread_id, '{ForkReason.START}', $16::timestamptz FROM planned
    WHERE beginning_at IS NOT NULL
), new_runs AS (
    INSERT INTO wtb_runs (id, pool, status, thread_id, workflow_id, variants, workflow_variant,
                          gates, attempt, limits, limited_by, timeline_id, created_at)
    SELECT run_id, $14::text,
           CASE WHEN $25::bool THEN '{RunStatus.WAITING}' ELSE '{RunStatus.PENDING}' END,
           thread_id, $10::uuid, beginnings.variants, beginnings.workflow_variant,
           beginnings.gates, 1, $12::jsonb, CASE WHEN $25::bool THEN $17::uuid END, thread_id,
           $16::timestamptz
    FROM planned JOIN beginnings ON beginnings.at = beginning_at ORDER BY number
)
INSERT INTO wtb_executions
    (id, workflow_id, run_id, thread_id, status, input, variants, workflow_variant, batch_test_id,
     test_case_id, repetition, attempt, version, metadata, breakpoints, stream, created_by,
     created_at)
SELECT execution_id, $10::uuid, run_id, thread_id, '{ExecutionStatus.PENDING}', inputs.input,
       choices.variants, choices.workflow_variant, $17::uuid, inputs.test_case_id, repetition, 1,
       $18::int, $13::jsonb, $19::jsonb, $20::jsonb, $15::text, $16::timestamptz
FROM planned JOIN inputs ON inputs.at = input_at JOIN choices ON choices.at = choice_at
ORDER BY number
"""  # noqa: S608 - only statuses of the domain go in


class PostgresExecutionRepository:
    """Single executions go through the session; the unit of work writes each plan at once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._plans: list[ExecutionPlan] = []

    def add(self, plan: ExecutionPlan) -> None:
        """Insert the plan's executions, runs and threads when the unit of work commits."""
        self._plans.append(plan)

    def add_one(self, execution: Execution) -> None:
        """Keep a new execution whose run and thread exist."""
        self._session.add(execution)

    async def get(self, execution_id: UUID) -> tuple[Execution, Run]:
        """An execution and its latest run. Raises NotFound."""
        query = (
            select(Execution, Run)
            .join(Run, tables.runs.c.id == tables.executions.c.run_id)
            .where(tables.executions.c.id == execution_id)
        )
        found = (await self._session.execute(query)).one_or_none()
        if found is None:
            raise NotFound("execution", execution_id)
        execution, run = found
        return execution, run

    async def lock(self, execution_id: UUID) -> tuple[Execution, Run]:
        """An execution and its latest run for a change.

        Runners and the reaper lock a run before its execution; the same order here rules out that
        each waits for the other. Raises NotFound.
        """
        while True:
            execution, run = await self.get(execution_id)
            for entity in (run, execution):
                await self._session.refresh(entity, with_for_update=True)
            if execution.run_id == run.id:
                return execution, run
            # Somebody gave it another run just now: let go of both rows and look again.
            await self._session.rollback()

    async def forget_scores(self, execution_id: UUID) -> None:
        """Drop what evaluators said of an outcome that no longer stands, by itself or in a pair."""
        results, executions = tables.evaluation_results, tables.executions
        await self._session.execute(delete(results).where(results.c.execution_id == execution_id))
        await self._session.execute(
            update(executions)
            .where(executions.c.id == execution_id)
            .values(scored_at=None, scoring_until=None)
        )
        await self._session.execute(text(FORGET_PREFERENCES), {"execution_ids": [execution_id]})

    async def flush(self, connection: AsyncConnection) -> None:
        """Write what was added, after the rows that it refers to."""
        plans, self._plans = self._plans, []
        for plan in plans:
            await connection.exec_driver_sql(_ACCEPT, _parameters(plan))
            if plan.batch_test_id is not None and plan.is_limited:
                await release_runs(connection, [plan.batch_test_id])


def _parameters(plan: ExecutionPlan) -> tuple[Any, ...]:
    return (
        *_columns(plan),
        [given.test_case_id for given in plan.inputs],
        [None if given.input is None else to_json_text(given.input) for given in plan.inputs],
        [to_json_text(choice.variants) for choice in plan.choices],
        plan.workflow_id,
        [choice.workflow_variant for choice in plan.choices],
        to_json_text(asdict(plan.limits)),
        to_json_text(plan.metadata),
        plan.pool,
        plan.caller,
        plan.created_at,
        plan.batch_test_id,
        plan.first_version,
        to_json_text(plan.breakpoints.to_json()),
        to_json_text(list(plan.stream)),
        [planned.beginning for planned in plan.executions],
        [to_json_text(beginning.choice.variants) for beginning in plan.beginnings],
        [beginning.choice.workflow_variant for beginning in plan.beginnings],
        [to_json_text(beginning.gates) for beginning in plan.beginnings],
        plan.is_limited,
    )


def _columns(plan: ExecutionPlan) -> tuple[Sequence[Any], ...]:
    planned = plan.executions
    return (
        [item.execution_id for item in planned],
        [item.run_id for item in planned],
        [item.thread_id for item in planned],
        [item.input for item in planned],
        [item.choice for item in planned],
        [item.repetition for item in planned],
    )
