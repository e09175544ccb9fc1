"""Workflows with their variants, as aggregates."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

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
        wanted = named_or_id(workflows, name_or_id)
        query = _locked(wanted) if for_update else _read(wanted)
        found = await self._first(query)
        if found is None:
            raise NotFound("workflow", name_or_id)
        return found

    async def find(self, name: str) -> Workflow | None:
        """The workflow with this name, locked for a change, or None."""
        return await self._first(_locked(workflows.c.name == name))

    async def _first(self, query: Select[Workflow]) -> Workflow | None:
        rows = await self._session.scalars(query)
        return rows.unique().one_or_none()


def _read(wanted: ColumnElement[bool]) -> Select[Workflow]:
    """One statement, because every execution that is submitted waits for it."""
    return (
        select(Workflow)
        .options(
            joinedload(Workflow.node_variants),  # type: ignore[arg-type]  # mapped imperatively
            joinedload(Workflow.workflow_variants),  # type: ignore[arg-type]  # mapped imperatively
        )
        .where(wanted)
    )


def _locked(wanted: ColumnElement[bool]) -> Select[Workflow]:
    """The variants are read once the lock is held: what held it before may have added some."""
    return (
        select(Workflow)
        .options(
            selectinload(Workflow.node_variants),  # type: ignore[arg-type]  # mapped imperatively
            selectinload(Workflow.workflow_variants),  # type: ignore[arg-type]  # mapped imperatively
        )
        .where(wanted)
        .with_for_update(of=workflows)
    )
