"""Workflows with their variants, as aggregates."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from wtb_async.domain.errors import NotFound
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.queries.identity import named_or_id
from wtb_async.infrastructure.postgres.tables import workflows


class PostgresWorkflowRepository:
    """Loads and keeps workflows through the session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, workflow: Workflow) -> None:
        """Keep a new workflow."""
        self._session.add(workflow)

    async def get(self, name_or_id: str | UUID, *, for_update: bool = False) -> Workflow:
        """The workflow with its variants. Raises NotFound."""
        query = _with_variants().where(named_or_id(workflows, name_or_id))
        found: Workflow | None = await self._session.scalar(
            query.with_for_update(of=workflows) if for_update else query
        )
        if found is None:
            raise NotFound("workflow", name_or_id)
        return found

    async def find(self, name: str) -> Workflow | None:
        """The workflow with this name, locked for a change, or None."""
        query = _with_variants().where(workflows.c.name == name).with_for_update(of=workflows)
        found: Workflow | None = await self._session.scalar(query)
        return found


def _with_variants() -> Select[Workflow]:
    return select(Workflow).options(
        selectinload(Workflow.node_variants),  # type: ignore[arg-type]  # mapped imperatively
        selectinload(Workflow.workflow_variants),  # type: ignore[arg-type]  # mapped imperatively
    )
