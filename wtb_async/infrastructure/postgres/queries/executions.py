"""Executions as readers see them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.views import Page
from wtb_async.domain.errors import NotFound
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.postgres.queries.identity import named_or_id
from wtb_async.infrastructure.postgres.queries.paging import newest_first, page_of
from wtb_async.infrastructure.postgres.tables import executions, test_cases, workflows

_HIDDEN = {
    *("run_id", "test_case_id"),
    *("scored_at", "scoring_until", "input_tokens", "output_tokens", "cost"),
}
_COLUMNS = [column for column in executions.c if column.name not in _HIDDEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions to list; what is None does not restrict."""

    workflow: str | None = None
    status: ExecutionStatus | None = None
    batch: UUID | None = None
    parent: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class ExecutionQueries:
    """Reads `wtb_executions`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, execution_id: UUID) -> ExecutionView:
        """One execution. Raises NotFound."""
        async with self._engine.connect() as connection:
            result = await connection.execute(_select().where(executions.c.id == execution_id))
        row = result.mappings().first()
        if row is None:
            raise NotFound("execution", execution_id)
        return _view(row)

    async def list(
        self, wanted: ExecutionFilter, *, limit: int, cursor: str | None
    ) -> Page[ExecutionView]:
        """Executions, newest first."""
        query = newest_first(
            _select().where(*_conditions(wanted)), executions.c.id, limit=limit, cursor=cursor
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return page_of(rows, _view, limit=limit)


def _select() -> Select[Any]:
    return (
        select(*_COLUMNS, workflows.c.name.label("workflow"), test_cases.c.key.label("test_case"))
        .join(workflows, workflows.c.id == executions.c.workflow_id)
        .outerjoin(test_cases, test_cases.c.id == executions.c.test_case_id)
    )


def _conditions(wanted: ExecutionFilter) -> list[ColumnElement[bool]]:
    table = executions.c
    conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "workflow": lambda value: named_or_id(workflows, value),
        "status": lambda value: table.status == value,
        "batch": lambda value: table.batch_test_id == value,
        "parent": lambda value: table.parent_execution_id == value,
        "created_after": lambda value: table.created_at >= value,
        "created_before": lambda value: table.created_at < value,
    }
    return [
        condition(value)
        for name, condition in conditions.items()
        if (value := getattr(wanted, name)) is not None
    ]


def _view(row: RowMapping) -> ExecutionView:
    values = dict(row)
    test_case = values.pop("test_case")
    return ExecutionView(**values, test_case_id=test_case)
