"""Files kept the way a snapshot keeps them, and the checkpoints that lead to them."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from blob_stores import write_file
from factories import NOW
from sqlalchemy import delete, insert

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.files.repositories import BlobClaims
from wtb_async.application.ids import new_id
from wtb_async.domain.file_commit import Blob, FileKind
from wtb_async.domain.run import ForkReason
from wtb_async.infrastructure.postgres.blob_claims import claim_blobs, confirm_blobs
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.file_tables import (
    checkpoint_files,
    file_commits,
    file_mementos,
)
from wtb_async.infrastructure.postgres.tables import threads


@dataclass(frozen=True)
class KeptFiles:
    """Takes snapshots step by step, so that something may happen between the steps."""

    database: Database
    blobs: BlobStore
    folder: Path

    async def keep(self, *contents: bytes, parent: UUID | None = None) -> UUID:
        """Commit files with these contents; answers the commit."""
        files = {blob: file for file, blob in (write_file(self.folder, it) for it in contents)}
        claims = await self.claim(*files)
        await self.blobs.put_all(
            {b: file for b, file in files.items() if b.sha256 in claims.missing}
        )
        return await self.commit(claims, parent=parent)

    async def claim(self, *blobs: Blob) -> BlobClaims:
        async with self.database.sessions() as session:
            claims = await claim_blobs(session, blobs)
            await session.commit()
        return claims

    async def commit(self, claims: BlobClaims, *, parent: UUID | None = None) -> UUID:
        commit_id = new_id()
        paths = [
            {"commit_id": commit_id, "path": sha256, "kind": FileKind.FILE, "sha256": sha256}
            for sha256 in claims.numbers
        ]
        values = {"id": commit_id, "parent_id": parent, "files": len(paths), "size": 0, "chain": 1}
        async with self.database.sessions() as session:
            await confirm_blobs(session, claims)
            await session.execute(insert(file_commits).values(**values, created_at=NOW))
            await session.execute(insert(file_mementos), paths)
            await session.commit()
        return commit_id

    async def link(self, commit_id: UUID) -> UUID:
        """Let a checkpoint of a new thread lead to a commit; answers the thread."""
        thread_id = new_id()
        thread = {"id": thread_id, "reason": ForkReason.START, "created_at": NOW}
        place = {"thread_id": thread_id, "checkpoint_id": "1", "commit_id": commit_id}
        async with self.database.sessions() as session:
            await session.execute(insert(threads).values(thread))
            await session.execute(insert(checkpoint_files).values(place))
            await session.commit()
        return thread_id

    async def unlink(self, thread_id: UUID) -> None:
        """Delete a thread."""
        async with self.database.sessions() as session:
            await session.execute(delete(threads).where(threads.c.id == thread_id))
            await session.commit()
