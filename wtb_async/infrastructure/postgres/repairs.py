"""What mends findings of the integrity check: small statements that look again before they act."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.infrastructure.postgres.integrity.threads import IS_ORPHAN

# Locked first and looked at again in another statement: who wants to refer to one of them waits,
# and a reference that was committed meanwhile is seen.
_LOCK_THREADS = text(
    "SELECT id FROM wtb_threads WHERE id = ANY (CAST(:ids AS uuid[])) FOR UPDATE SKIP LOCKED"
)
_DELETE_THREADS = text(
    f"""
    WITH deleted AS (
        DELETE FROM wtb_threads AS item WHERE id = ANY (CAST(:ids AS uuid[])) AND {IS_ORPHAN}
        RETURNING id::text AS id
    ), checkpoints AS (
        DELETE FROM checkpoints WHERE thread_id = ANY (ARRAY(SELECT id FROM deleted))
    ), blobs AS (
        DELETE FROM checkpoint_blobs WHERE thread_id = ANY (ARRAY(SELECT id FROM deleted))
    ), writes AS (
        DELETE FROM checkpoint_writes WHERE thread_id = ANY (ARRAY(SELECT id FROM deleted))
    )
    SELECT count(*) FROM deleted
    """  # noqa: S608 - a condition of our own
)

# A claim that hides an event may be released too: delivering twice does no harm.
_RELEASE_EVENTS = text(
    """
    WITH released AS (
        UPDATE wtb_outbox SET available_at = clock_timestamp()
        WHERE id = ANY (CAST(:ids AS bigint[])) AND sent_at IS NULL AND dead_at IS NULL
          AND available_at > clock_timestamp()
        RETURNING id
    )
    SELECT count(*) FROM released
    """
)


class PostgresRepairRepository:
    """Statements on whatever is broken."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def delete_orphan_threads(self, ids: Sequence[UUID]) -> int:
        """Delete threads that nothing leads to, with their checkpoints; answers how many."""
        locked = list(await self._session.scalars(_LOCK_THREADS, {"ids": list(ids)}))
        return await self._session.scalar(_DELETE_THREADS, {"ids": locked}) or 0

    async def release_events(self, ids: Sequence[int]) -> int:
        """Let the relay have open events at once; answers how many."""
        return await self._session.scalar(_RELEASE_EVENTS, {"ids": list(ids)}) or 0
