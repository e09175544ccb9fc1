"""The directories of workspaces, and who needs them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.domain.execution import ENDED
from wtb_async.infrastructure.postgres.tables import executions

_NOTE_PRESENT = text("""
    INSERT INTO wtb_workspaces AS known (thread_id, host, path)
    SELECT found.thread_id, :host, found.path
    FROM unnest(CAST(:thread_ids AS uuid[]), CAST(:paths AS text[])) AS found (thread_id, path)
    JOIN wtb_threads ON wtb_threads.id = found.thread_id
    ON CONFLICT (thread_id, host) DO UPDATE SET path = excluded.path, removed_at = NULL
    WHERE known.removed_at IS NOT NULL OR known.path <> excluded.path
""")

_NOTE_ABSENT = text("""
    UPDATE wtb_workspaces SET removed_at = now()
    WHERE host = :host AND removed_at IS NULL AND thread_id <> ALL (CAST(:thread_ids AS uuid[]))
""")


class PostgresWorkspaceRepository:
    """Statements on `wtb_workspaces`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def in_use(self, thread_ids: Collection[UUID]) -> Mapping[UUID, bool]:
        """The threads of executions, and whether one of these goes on."""
        wanted = bindparam("thread_ids", list(thread_ids), ARRAY(Uuid()))
        goes_on = func.bool_or(executions.c.status.not_in(ENDED)).label("goes_on")
        query = (
            select(executions.c.thread_id, goes_on)
            .where(executions.c.thread_id == any_(wanted))
            .group_by(executions.c.thread_id)
        )
        rows = await self._session.execute(query)
        return {row.thread_id: row.goes_on for row in rows}

    async def record(self, host: str, folders: Mapping[UUID, str]) -> None:
        """Note which directories a machine has."""
        found = {"host": host, "thread_ids": list(folders), "paths": list(folders.values())}
        await self._session.execute(_NOTE_PRESENT, found)
        await self._session.execute(_NOTE_ABSENT, {"host": host, "thread_ids": list(folders)})
