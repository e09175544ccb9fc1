"""The directory of one thread's workspace, while a run works in it."""

from enum import Enum
from pathlib import Path

from wtb_async.domain.file_commit import Manifest, size_of
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex
from wtb_async.infrastructure.workspaces.link_guard import link_guard
from wtb_async.infrastructure.workspaces.lock import DirectoryLock
from wtb_async.infrastructure.workspaces.scan import Scan
from wtb_async.infrastructure.workspaces.stored import StoredWorkspace

INLINE_PATHS = 64
"""Up to so many are looked at on the event loop: it takes less time than asking a thread to."""
INLINE_BYTES = 1 << 20
"""Workspaces of few files that are no larger are filled there, too."""


def is_small(manifest: Manifest) -> bool:
    """Whether a thread is not worth its while for these files."""
    return len(manifest) <= INLINE_PATHS and size_of(manifest) <= INLINE_BYTES


class Fate(Enum):
    """What becomes of a directory when the run has left it."""

    KEEP = "keep"
    """The next run of the thread finds it."""
    REMOVE = "remove"


class WorkspaceDirectory:
    """Locked from its opening to `close`; scans of it come one after another."""

    def __init__(
        self,
        stored: StoredWorkspace,
        lock: DirectoryLock,
        index: WorkspaceIndex,
        threads: FileThreads,
    ) -> None:
        self._stored = stored
        self._lock = lock
        self._threads = threads
        self._accepted = index.manifest
        self._index = index
        self._has_links = bool(index.linked_files)
        if self._has_links:
            link_guard().add(self)

    @property
    def path(self) -> Path:
        """The workspace itself, absolute."""
        return self._stored.files

    @property
    def index(self) -> WorkspaceIndex:
        """The newest look at the files, which may be newer than what was accepted."""
        return self._index

    def is_unchanged(self) -> bool:
        """Whether a look that takes no longer than asking a thread to tells so; False in doubt."""
        return (
            self._index.manifest is self._accepted
            and self._index.paths <= INLINE_PATHS
            and self._stored.still_is(self._index)
        )

    async def scan(self) -> Scan | None:
        """Look for what has changed since the last accepted manifest; None if nothing has.

        Raises:
            UnsafePath, UnsupportedFile, TooManyFiles, FileTooLarge, WorkspaceTooLarge,
            CaseCollision: something in the workspace cannot be kept.
        """
        if self._index.paths > INLINE_PATHS or not self._stored.still_is(self._index):
            self._index = await self._threads.run(self._stored.look, self._index)
        found = self._index
        scan = Scan(self.path, self._accepted, found)
        return scan if found.manifest is not self._accepted and scan.changes else None

    def accept(self, scan: Scan) -> None:
        """The commit of this scan was written: the next scan tells what has changed since."""
        self._accepted = scan.manifest

    async def close(self, fate: Fate) -> None:
        """Leave the directory to the next run of the thread, or remove it."""
        try:
            is_brief = self._stored.has_only_files(INLINE_PATHS)
            run = self._threads.run_briefly if is_brief else self._threads.run
            await run(self._leave, fate)
        finally:
            if self._has_links:
                link_guard().remove(self)
            self._lock.release()

    def _leave(self, fate: Fate) -> None:
        if fate is Fate.KEEP:
            self._stored.save(self._index)
        else:
            self._stored.remove()
