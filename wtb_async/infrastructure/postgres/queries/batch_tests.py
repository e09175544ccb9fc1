"""Batch tests, their counts and their results as readers see them."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, func, select, text, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wtb_async.application.views import BatchCounts, BatchTestView, Page, ResultRow
from wtb_async.domain.comparison import ScoredRow
from wtb_async.domain.errors import NotFound
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.graph_choice import WORKFLOW_KEY
from wtb_async.domain.workflow import BASE_VARIANT
from wtb_async.infrastructure.postgres.queries.identity import named_or_id
from wtb_async.infrastructure.postgres.queries.node_executions import node_executions_of
from wtb_async.infrastructure.postgres.queries.paging import newest_first, oldest_first, page_of
from wtb_async.infrastructure.postgres.tables import (
    batch_tests,
    evaluation_results,
    executions,
    test_cases,
    workflows,
)

_HIDDEN = {"limits", "forgiven_failures"}
_COLUMNS = [column for column in batch_tests.c if column.name not in _HIDDEN]


@dataclass(frozen=True, kw_only=True)
class ResultFilter:
    """Which executions of a batch test are wanted; None is all of them."""

    status: ExecutionStatus | None = None
    test_case: str | None = None
    """The caller's own id of the case."""

    def applied_to(self, query: Select[Any]) -> Select[Any]:
        """Leave out what is not wanted."""
        if self.status is not None:
            query = query.where(executions.c.status == self.status)
        if self.test_case is not None:
            query = query.where(test_cases.c.key == self.test_case)
        return query


ALL_RESULTS = ResultFilter()


class BatchTestQueries:
    """Reads `wtb_batch_tests` and the executions and scores that belong to them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, batch_id: UUID) -> BatchTestView:
        """One batch test with its counts and node executions. Raises NotFound."""
        async with self._engine.connect() as connection:
            result = await connection.execute(_select().where(batch_tests.c.id == batch_id))
            row = result.mappings().first()
            if row is None:
                raise NotFound("batch test", batch_id)
            counts = await _counts(connection, [batch_id])
            nodes = await node_executions_of(connection, batch_id)
        return replace(_view(row, counts), node_executions=nodes)

    async def progress(self, batch_id: UUID) -> tuple[BatchCounts, int]:
        """The counts, and how many executions have been scored."""
        async with self._engine.connect() as connection:
            counts = await _counts(connection, [batch_id])
            scored = await connection.scalar(
                select(func.count()).where(
                    executions.c.batch_test_id == batch_id, executions.c.scored_at.is_not(None)
                )
            )
        by_status = counts.get(batch_id, {})
        return BatchCounts(total=sum(by_status.values()), **by_status), int(scored or 0)

    async def results(
        self,
        batch_id: UUID,
        wanted: ResultFilter = ALL_RESULTS,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[ResultRow]:
        """One row per execution with its scores, in the order they were planned."""
        await self.get(batch_id)
        query = wanted.applied_to(_results(batch_id))
        query = oldest_first(query, executions.c.id, limit=limit, cursor=cursor)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return page_of(rows, _result, limit=limit, key="execution_id")

    async def scored_rows(self, batch_id: UUID) -> list[ScoredRow]:
        """What a comparison needs of every ended execution; outputs stay in the database."""
        query = _results(batch_id, with_output=False).where(
            executions.c.status.in_(("completed", "failed"))
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_scored(row) for row in rows]

    async def list(
        self, *, workflow: str | None, limit: int, cursor: str | None
    ) -> Page[BatchTestView]:
        """Batch tests, newest first."""
        query = _select()
        if workflow is not None:
            query = query.where(named_or_id(workflows, workflow))
        query = newest_first(query, batch_tests.c.id, limit=limit, cursor=cursor)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
            counts = await _counts(connection, [row["id"] for row in rows])
        return page_of(rows, lambda row: _view(row, counts), limit=limit)


async def _counts(connection: AsyncConnection, ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    """Executions by batch and status, in one query however many batches there are."""
    rows = await connection.execute(
        select(executions.c.batch_test_id, executions.c.status, func.count())
        .where(executions.c.batch_test_id.in_(ids))
        .group_by(executions.c.batch_test_id, executions.c.status)
    )
    counts: dict[UUID, dict[str, int]] = {}
    for batch_id, status, number in rows:
        counts.setdefault(batch_id, {})[status.value] = number
    return counts


def _select() -> Select[Any]:
    return select(*_COLUMNS, workflows.c.name.label("workflow")).join(
        workflows, workflows.c.id == batch_tests.c.workflow_id
    )


def _view(row: RowMapping, counts: dict[UUID, dict[str, int]]) -> BatchTestView:
    values = dict(row)
    total = values.pop("total")
    by_status = counts.get(row["id"], {})
    return BatchTestView(**values, counts=BatchCounts(total=total, **by_status))


def _results(batch_id: UUID, *, with_output: bool = True) -> Select[Any]:
    scores = (
        select(
            func.jsonb_object_agg(evaluation_results.c.key, evaluation_results.c.score)
            .filter(evaluation_results.c.score.is_not(None))
            .label("scores"),
            func.jsonb_object_agg(evaluation_results.c.key, evaluation_results.c.error)
            .filter(evaluation_results.c.error.is_not(None))
            .label("score_errors"),
        )
        .where(evaluation_results.c.execution_id == executions.c.id)
        .lateral("scored")
    )
    output = [executions.c.output] if with_output else []
    return (
        select(
            executions.c.id.label("execution_id"),
            _combination(batch_id).label("combination"),
            test_cases.c.key.label("test_case_id"),
            executions.c.repetition,
            executions.c.status,
            *output,
            executions.c.error,
            func.coalesce(scores.c.scores, text("'{}'::jsonb")).label("scores"),
            func.coalesce(scores.c.score_errors, text("'{}'::jsonb")).label("score_errors"),
            executions.c.scored_at,
            executions.c.duration_ms,
        )
        .join(test_cases, test_cases.c.id == executions.c.test_case_id)
        .join(scores, text("true"))
        .where(executions.c.batch_test_id == batch_id)
    )


def _combination(batch_id: UUID) -> ColumnElement[Any]:
    """An execution's choice with the names that all combinations of its batch have by now."""
    names = func.jsonb_object_keys(batch_tests.c.baseline).table_valued("name")
    all_base = (
        select(func.jsonb_object_agg(names.c.name, BASE_VARIANT))
        .select_from(batch_tests.join(names, text("true")))
        .where(batch_tests.c.id == batch_id)
        .scalar_subquery()
    )
    graph = func.jsonb_strip_nulls(
        func.jsonb_build_object(WORKFLOW_KEY, executions.c.workflow_variant)
    )
    chosen = func.coalesce(all_base, text("'{}'::jsonb")).op("||")(executions.c.variants)
    return type_coerce(chosen.op("||")(graph), executions.c.variants.type)


def _result(row: RowMapping) -> ResultRow:
    return ResultRow(**row)


def _scored(row: RowMapping) -> ScoredRow:
    return ScoredRow(
        combination=row["combination"],
        test_case_id=row["test_case_id"],
        repetition=row["repetition"],
        status=row["status"].value,
        scores=row["scores"],
        duration_ms=row["duration_ms"],
    )
