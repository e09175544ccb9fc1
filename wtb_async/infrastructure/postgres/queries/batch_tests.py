"""Batch tests, their counts and their results as readers see them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from wtb_async.application.batches.views import (
    BatchCost,
    BatchCounts,
    BatchTestView,
    NodeDuration,
    ResultRow,
)
from wtb_async.application.views import Page
from wtb_async.domain.comparison import ScoredRow, Summary
from wtb_async.domain.errors import NotFound
from wtb_async.domain.evaluator import EvaluatorKind, shown
from wtb_async.infrastructure.postgres.queries.identity import named_or_id
from wtb_async.infrastructure.postgres.queries.node_durations import node_durations_of
from wtb_async.infrastructure.postgres.queries.node_executions import node_executions_of
from wtb_async.infrastructure.postgres.queries.paging import newest_first, oldest_first, page_of
from wtb_async.infrastructure.postgres.queries.result_rows import (
    ALL_RESULTS,
    ResultFilter,
    result_rows,
)
from wtb_async.infrastructure.postgres.tables import batch_tests, executions, workflows

_HIDDEN = {"limits", "forgiven_failures", "summaries", "summarized_at"}
_COLUMNS = [column for column in batch_tests.c if column.name not in _HIDDEN]


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
            cost = await _cost(connection, batch_id)
        return replace(_view(row, counts), node_executions=nodes, cost=cost)

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
        """One row per execution with its scores and nodes, in the order they were planned.

        Raises NotFound.
        """
        query = wanted.applied_to(result_rows(batch_id))
        query = oldest_first(query, executions.c.id, limit=limit, cursor=cursor)
        async with self._engine.connect() as connection:
            await _check_exists(connection, batch_id)
            rows = (await connection.execute(query)).mappings().all()
            nodes = await node_durations_of(connection, [row["execution_id"] for row in rows])
        return page_of(rows, lambda row: _result(row, nodes), limit=limit, key="execution_id")

    async def scored_rows(self, batch_id: UUID) -> list[ScoredRow]:
        """What a comparison needs of every ended execution; outputs stay in the database."""
        query = result_rows(batch_id, with_output=False).where(
            executions.c.status.in_(("completed", "failed"))
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_scored(row) for row in rows]

    async def summaries(self, batch_id: UUID) -> list[Summary]:
        """What summary evaluators said of each combination."""
        query = select(batch_tests.c.summaries).where(batch_tests.c.id == batch_id)
        async with self._engine.connect() as connection:
            said = await connection.scalar(query)
        return [_summary(each) for each in said or ()]

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


async def _check_exists(connection: AsyncConnection, batch_id: UUID) -> None:
    known = select(batch_tests.c.id).where(batch_tests.c.id == batch_id)
    if await connection.scalar(known) is None:
        raise NotFound("batch test", batch_id)


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


async def _cost(connection: AsyncConnection, batch_id: UUID) -> BatchCost | None:
    """The account of a batch: an index has nothing but the executions that say what they took."""
    read, written = executions.c.input_tokens, executions.c.output_tokens
    query = select(func.sum(read), func.sum(written), func.sum(executions.c.cost)).where(
        executions.c.batch_test_id == batch_id, read.is_not(None)
    )
    tokens_in, tokens_out, money = (await connection.execute(query)).one()
    if tokens_in is None:
        return None
    tokens_in, tokens_out = int(tokens_in), int(tokens_out)
    return BatchCost(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        total_tokens=tokens_in + tokens_out,
        money=money,
    )


def _select() -> Select[Any]:
    return select(*_COLUMNS, workflows.c.name.label("workflow")).join(
        workflows, workflows.c.id == batch_tests.c.workflow_id
    )


def _view(row: RowMapping, counts: dict[UUID, dict[str, int]]) -> BatchTestView:
    values = dict(row)
    total = values.pop("total")
    stored = values.pop("evaluators")
    by_status = counts.get(row["id"], {})
    return BatchTestView(
        **values,
        counts=BatchCounts(total=total, **by_status),
        evaluators=shown(stored, EvaluatorKind.SINGLE),
        pairwise_evaluators=shown(stored, EvaluatorKind.PAIRWISE),
        summary_evaluators=shown(stored, EvaluatorKind.SUMMARY),
    )


def _result(row: RowMapping, nodes: Mapping[UUID, list[NodeDuration]]) -> ResultRow:
    values = {name: value for name, value in row.items() if name != "lower_is_better"}
    return ResultRow(**values, nodes=nodes[row["execution_id"]])


def _scored(row: RowMapping) -> ScoredRow:
    return ScoredRow(
        combination=row["combination"],
        test_case_id=row["test_case_id"],
        repetition=row["repetition"],
        status=row["status"].value,
        scores=row["scores"],
        preferences=row["preferences"],
        lower_is_better=row["lower_is_better"],
        duration_ms=row["duration_ms"],
    )


def _summary(said: dict[str, Any]) -> Summary:
    return Summary(
        combination=said["combination"],
        key=said["key"],
        score=said["score"],
        comment=said["comment"],
        error=said["error"],
        higher_is_better=not said["lower_is_better"],
    )
