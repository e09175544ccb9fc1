"""File commits and blobs that nothing refers to."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.postgres.garbage_statements import (
    CONDEMN_BLOBS,
    CONDEMN_UNKNOWN,
    DELETE_DEAD_COMMITS,
    DROP_CONDEMNED,
    LOCK_DEAD_COMMITS,
    LOCK_UNUSED_BLOBS,
)


class PostgresGarbageRepository:
    """Statements on the tables of files, safe beside those who store the same."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def drop_commits(self, unused_seconds: float, limit: int) -> int:
        """Delete commits that no checkpoint leads to."""
        ids = await self._of(LOCK_DEAD_COMMITS, unused_seconds=unused_seconds, limit=limit)
        return len(await self._of(DELETE_DEAD_COMMITS, ids=ids)) if ids else 0

    async def condemn_blobs(self, hash_prefix: str, unused_seconds: float, limit: int) -> int:
        """Condemn blobs of a part that nothing refers to."""
        sha256s = await self._of(
            LOCK_UNUSED_BLOBS, hash_prefix=hash_prefix, unused_seconds=unused_seconds, limit=limit
        )
        condemned = await self._of(CONDEMN_BLOBS, sha256s=sha256s, unused_seconds=unused_seconds)
        return len(condemned)

    async def condemn_unknown(self, blobs: Collection[Blob]) -> int:
        """Condemn contents that have no row."""
        sha256s, sizes = [blob.sha256 for blob in blobs], [blob.size for blob in blobs]
        return len(await self._of(CONDEMN_UNKNOWN, sha256s=sha256s, sizes=sizes))

    async def drop_condemned(self, limit: int) -> list[str]:
        """Delete the rows of condemned blobs; answers their hashes."""
        return await self._of(DROP_CONDEMNED, limit=limit)

    async def _of(self, statement: TextClause, **parameters: object) -> list[Any]:
        return list((await self._session.execute(statement, parameters)).scalars())
