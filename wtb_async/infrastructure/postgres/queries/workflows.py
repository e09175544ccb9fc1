"""Workflows as readers see them in lists."""

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.views import Page
from wtb_async.application.workflows.views import WorkflowSummary
from wtb_async.infrastructure.postgres.queries.paging import newest_first, page_of
from wtb_async.infrastructure.postgres.tables import workflows

_COLUMNS = [column for column in workflows.c if column.name != "topology"]


class WorkflowQueries:
    """Reads `wtb_workflows`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(self, *, limit: int, cursor: str | None) -> Page[WorkflowSummary]:
        """Workflows, newest first."""
        query = newest_first(select(*_COLUMNS), workflows.c.id, limit=limit, cursor=cursor)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return page_of(rows, _view, limit=limit)


def _view(row: RowMapping) -> WorkflowSummary:
    return WorkflowSummary(**row)
