"""Restores contents that the store has lost from the workspaces of this machine."""

import hashlib
import socket
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.files.blob_store import BlobStore, FileChanged
from wtb_async.domain.file_commit import Blob
from wtb_async.domain.integrity import Finding
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.storing import open_file

_PLACES_TRIED = 50

# A workspace has what any commit of its thread, or an ancestor of one, says of a path, unless
# that was written over since: whether it still has it, its hash tells.
_PLACES = text(
    """
    WITH RECURSIVE holder AS (
        SELECT blob.sha256, blob.size, memento.commit_id, memento.path
        FROM wtb_file_blobs AS blob JOIN wtb_file_mementos AS memento USING (sha256)
        WHERE blob.sha256 = :sha256
        UNION
        SELECT holder.sha256, holder.size, child.id, holder.path
        FROM holder JOIN wtb_file_commits AS child ON child.parent_id = holder.commit_id
    )
    SELECT DISTINCT holder.size, workspace.path AS folder, holder.path
    FROM holder JOIN wtb_checkpoint_files AS link ON link.commit_id = holder.commit_id
    JOIN wtb_workspaces AS workspace ON workspace.thread_id = link.thread_id
    WHERE workspace.host = :host AND workspace.removed_at IS NULL
    LIMIT :limit
    """
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
        lost = [each.subject for each in findings if not await self._restore(each.subject)]
        if lost:
            async with self._engine.begin() as connection:
                await connection.execute(_NOT_STORED, {"sha256s": lost})
        return len(findings) - len(lost)

    async def _restore(self, sha256: str) -> bool:
        for blob, place in await self._places(sha256):
            if not await self._threads.run(_holds, place, blob):
                continue
            try:
                # A store leaves alone what it has under a hash, also if that was altered.
                await self._store.delete([sha256])
                await self._store.put(place, blob)
            except FileChanged:
                continue
            return True
        return False

    async def _places(self, sha256: str) -> list[tuple[Blob, Path]]:
        given = {"sha256": sha256, "host": socket.gethostname(), "limit": _PLACES_TRIED}
        async with self._engine.connect() as connection:
            rows = await connection.execute(_PLACES, given)
        return [(Blob(sha256, row.size), Path(row.folder) / row.path) for row in rows]


def _holds(file: Path, blob: Blob) -> bool:
    try:
        with (
            open_file(file, blob.size) as descriptor,
            open(descriptor, "rb", closefd=False) as read,
        ):
            return hashlib.file_digest(read, "sha256").hexdigest() == blob.sha256
    except FileChanged:
        return False
