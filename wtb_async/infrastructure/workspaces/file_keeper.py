"""Keeps what scans find: first in the blob store, then as commits in the database."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.files.blob_store import BlobStore, FileChanged, StoreFull
from wtb_async.application.files.repositories import ClaimsLost, NewFileCommit
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.domain.errors import PermanentError
from wtb_async.domain.file_commit import FileCommit, Manifest, commit_after
from wtb_async.infrastructure.workspaces.scan import Scan
from wtb_async.infrastructure.workspaces.storing import store_missing

_TRIES = 5


class FilesNotKept(PermanentError):
    """The files of a workspace could not be kept as they are."""

    code = "files_not_kept"


class FileKeeper:
    """Makes commits of scans; no database connection is held while contents are stored."""

    def __init__(self, uow: UnitOfWorkFactory, blobs: BlobStore) -> None:
        self._uow = uow
        self._blobs = blobs

    async def keep(
        self, parent: FileCommit | None, scan: Callable[[], Awaitable[Scan | None]]
    ) -> tuple[Scan, FileCommit] | None:
        """Commit what a scan finds, and scan again while files change under it; None: nothing new.

        Nothing refers to the commit yet.

        Raises:
            FilesNotKept: files keep changing, or the store is full.
            TransientError: the store or the database is away.
            WtbError: what the scan raises.
        """
        for _ in range(_TRIES):
            found = await scan()
            if found is None:
                return None
            try:
                return found, await self._commit(parent, found)
            except (FileChanged, ClaimsLost) as error:
                reason = error
            except StoreFull as error:
                raise FilesNotKept(str(error)) from error
        raise FilesNotKept(str(reason)) from reason

    async def newest(self, thread_id: UUID) -> tuple[FileCommit, Manifest] | None:
        """The newest files of a thread."""
        async with self._uow() as uow:
            commit = await uow.files.commit_of_head(thread_id)
            return (commit, await uow.files.manifest(commit.id)) if commit else None

    async def _commit(self, parent: FileCommit | None, scan: Scan) -> FileCommit:
        commit, changes = commit_after(
            parent, scan.before, scan.manifest, commit_id=new_id(), created_at=utc_now()
        )
        blobs = {memento.blob for memento in changes.written.values() if memento.blob}
        async with self._uow() as uow:
            claims = await uow.files.claim_blobs(blobs)
            await uow.commit()
        await store_missing(scan.root, changes.written, claims.missing, self._blobs)
        async with self._uow() as uow:
            await uow.files.add_commits([NewFileCommit(commit, changes)], claims)
            await uow.commit()
        return commit
