"""Restores contents that the store has lost from what this machine has of them."""

import hashlib
import socket
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.files.blob_store import BlobAltered, BlobMissing, BlobStore, FileChanged
from wtb_async.domain.file_commit import Blob
from wtb_async.domain.integrity import Finding
from wtb_async.infrastructure.files.blob_inspection import problem_of
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.storing import open_file

_PLACES_TRIED = 50

# A workspace has what any commit of its thread, or an ancestor of one, says of a path, unless
# that was written over since: whether it still has it, its hash tells.
_WORKSPACES = text(
    """
    WITH RECURSIVE holder AS (
        SELECT commit_id, path FROM wtb_file_mementos WHERE sha256 = :sha256
        UNION
        SELECT child.id, holder.path
        FROM holder JOIN wtb_file_commits AS child ON child.parent_id = holder.commit_id
    )
    SELECT DISTINCT workspace.path AS folder, holder.path
    FROM holder JOIN wtb_checkpoint_files AS link ON link.commit_id = holder.commit_id
    JOIN wtb_workspaces AS workspace ON workspace.thread_id = link.thread_id
    WHERE workspace.host = :host AND workspace.removed_at IS NULL
    LIMIT :limit
    """
)
_BLOBS = text(
    "SELECT sha256, size FROM wtb_file_blobs WHERE sha256 = ANY (CAST(:sha256s AS text[]))"
)
# Whoever has this content next stores it again, instead of relying on what is not there.
_NOT_STORED = text(
    "UPDATE wtb_file_blobs SET stored_at = NULL WHERE sha256 = ANY (CAST(:sha256s AS text[]))"
)


class BlobRestoring:
    """Finds contents again by their hashes; those that are lost for good are marked as such."""

    def __init__(self, engine: AsyncEngine, store: BlobStore, threads: FileThreads) -> None:
        self._engine = engine
        self._store = store
        self._threads = threads

    async def restore(self, findings: Sequence[Finding]) -> int:
        """Put contents back; answers how many. Raises TransientError."""
        blobs = await self._blobs([each.subject for each in findings])
        lost = [blob.sha256 for blob in blobs if not await self._restore(blob)]
        if lost:
            async with self._engine.begin() as connection:
                await connection.execute(_NOT_STORED, {"sha256s": lost})
        return len(blobs) - len(lost)

    async def _blobs(self, sha256s: Sequence[str]) -> list[Blob]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(_BLOBS, {"sha256s": sha256s})
        return [Blob(row.sha256, row.size) for row in rows]

    async def _restore(self, blob: Blob) -> bool:
        for place in [*await self._copy(blob), *await self._workspaces(blob)]:
            if not await self._threads.run(_holds, place, blob):
                continue
            try:
                await self._put_back(place, blob)
            except FileChanged:
                continue
            return True
        return False

    async def _put_back(self, place: Path, blob: Blob) -> None:
        await self._store.put(place, blob)
        if await problem_of(self._store, blob):
            # The disk altered what the store has seen whole, so that it took nothing.
            await self._store.delete([blob.sha256])
            await self._store.put(place, blob)

    async def _copy(self, blob: Blob) -> list[Path]:
        """What this machine has of a store elsewhere."""
        try:
            return [await self._store.local_file(blob)]
        except (BlobMissing, BlobAltered):
            return []

    async def _workspaces(self, blob: Blob) -> list[Path]:
        given = {"sha256": blob.sha256, "host": socket.gethostname(), "limit": _PLACES_TRIED}
        async with self._engine.connect() as connection:
            rows = await connection.execute(_WORKSPACES, given)
        return [Path(row.folder) / row.path for row in rows]


def _holds(file: Path, blob: Blob) -> bool:
    try:
        with (
            open_file(file, blob.size) as descriptor,
            open(descriptor, "rb", closefd=False) as read,
        ):
            return hashlib.file_digest(read, "sha256").hexdigest() == blob.sha256
    except FileChanged:
        return False
