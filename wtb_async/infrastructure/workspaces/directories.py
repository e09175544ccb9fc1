"""The directories of this machine's workspaces, each a cache of a commit."""

from pathlib import Path
from uuid import UUID

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.domain.file_commit import Manifest
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.workspaces.clock import ClockReader
from wtb_async.infrastructure.workspaces.directory import WorkspaceDirectory
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex
from wtb_async.infrastructure.workspaces.linking import Linking, SafeLinks
from wtb_async.infrastructure.workspaces.lock import DirectoryLock
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.stored import StoredWorkspace


class WorkspaceDirectories:
    """Opens workspaces; work on files is done in a few threads of its own."""

    def __init__(
        self,
        folder: Path,
        blobs: BlobStore,
        threads: FileThreads,
        *,
        may_give_up_root: bool = False,
    ) -> None:
        """Work below `folder`, which is that of all files of this machine.

        With `may_give_up_root` a process of root gives up to write to read-only files as soon as
        it opens a workspace with files, so that they can be links; otherwise it copies them.
        """
        self._folder = folder.absolute() / "workspaces"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._blobs = blobs
        self._clock = ClockReader(self._folder)
        self._links = SafeLinks(folder.absolute(), self._folder, may_give_up_root=may_give_up_root)
        self._threads = threads

    async def open(
        self, thread_id: UUID, manifest: Manifest, rules: WorkspaceRules
    ) -> WorkspaceDirectory:
        """Lock the workspace of a thread, which holds exactly these files then.

        A directory that does is kept; otherwise a fresh one is filled and takes its place.

        Raises:
            WorkspaceInUse: a process works in it.
            BlobMissing, BlobAltered, TransientError: the store could not give a content.
        """
        folder = self._folder / str(thread_id)
        stored = StoredWorkspace(folder, rules, self._clock)
        lock = await self._threads.run(DirectoryLock.take, folder)
        try:
            index = await self._prepare(stored, manifest)
        except BaseException:
            lock.release()
            raise
        return WorkspaceDirectory(stored, lock, index, self._threads)

    def begin(self, thread_id: UUID, rules: WorkspaceRules) -> WorkspaceDirectory:
        """Lock the workspace of a thread that has no files yet, empty as it is then.

        It blocks for the few system calls that this takes. Raises WorkspaceInUse.
        """
        folder = self._folder / str(thread_id)
        stored = StoredWorkspace(folder, rules, self._clock)
        lock = DirectoryLock.take(folder)
        try:
            index = stored.replace({}, {}, Linking.COPY)
        except BaseException:
            lock.release()
            raise
        return WorkspaceDirectory(stored, lock, index, self._threads)

    async def _prepare(self, stored: StoredWorkspace, manifest: Manifest) -> WorkspaceIndex:
        index = await self._threads.run(stored.index_if_it_holds, manifest)
        if index and not index.linked_files:
            return index
        blobs = {memento.blob for memento in manifest.values() if memento.blob}
        linking = self._links.choose() if blobs else Linking.COPY
        if index and linking is Linking.HARD_LINK:
            return index
        sources = await self._blobs.local_files(blobs)
        return await self._threads.run(stored.replace, manifest, sources, linking)

    def close(self) -> None:
        """Let go of what it holds; no workspace is open any more."""
        self._clock.close()
