"""The directories of this machine's workspaces, each a cache of a commit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.domain.file_commit import Blob, Manifest
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.workspaces.clock import ClockReader
from wtb_async.infrastructure.workspaces.directory import WorkspaceDirectory, is_small
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
        renew_threads: Callable[[], object] | None = None,
    ) -> None:
        """Work below `folder`, which is that of all files of this machine.

        A process of root copies files, unless it may give up to write to read-only ones as soon as
        it opens a workspace that has any: `renew_threads` then lets nodes have new threads, because
        those that run already keep that power.
        """
        self._folder = folder.absolute() / "workspaces"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._blobs = blobs
        self._clock = ClockReader(self._folder)
        self._links = SafeLinks(folder.absolute(), self._folder, renew_threads)
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
        # What there may be already, however large, must be looked through, and removed.
        is_brief = is_small(manifest) and not folder.exists()
        run = self._threads.run_briefly if is_brief else self._threads.run
        lock, index = await run(_take, folder, stored, manifest)
        try:
            if index is None or index.linked_files:
                linking, sources = await self._sources(manifest)
                if index is None or linking is not Linking.HARD_LINK:
                    index = await run(stored.replace, manifest, sources, linking)
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

    async def _sources(self, manifest: Manifest) -> tuple[Linking, Mapping[Blob, Path]]:
        """How to fill a directory, and with what."""
        blobs = {memento.blob for memento in manifest.values() if memento.blob}
        linking = self._links.choose() if blobs else Linking.COPY
        return linking, await self._blobs.local_files(blobs)

    def close(self) -> None:
        """Let go of what it holds; no workspace is open any more."""
        self._clock.close()


def _take(
    folder: Path, stored: StoredWorkspace, manifest: Manifest
) -> tuple[DirectoryLock, WorkspaceIndex | None]:
    """Lock a folder, and look whether it holds this already."""
    lock = DirectoryLock.take(folder)
    try:
        return lock, stored.index_if_it_holds(manifest)
    except BaseException:
        lock.release()
        raise
