"""Workspaces in a folder of a test, with the real store of blobs."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wtb_async.domain.file_commit import Blob, FileKind, FileMemento, Manifest
from wtb_async.domain.file_limits import FileLimits
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.local_blob_store import LocalBlobStore
from wtb_async.infrastructure.workspaces.directories import WorkspaceDirectories
from wtb_async.infrastructure.workspaces.directory import WorkspaceDirectory
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.storing import store_missing

LIMITS = FileLimits(max_files=1000, max_file_bytes=1 << 20, max_workspace_bytes=1 << 22)
RULES = WorkspaceRules(limits=LIMITS)
LAST_WRITTEN = 1_700_000_000_123_456_789


@dataclass
class FileBench:
    """A store and the workspaces that stand on it."""

    folder: Path
    threads: FileThreads
    blobs: LocalBlobStore
    workspaces: WorkspaceDirectories

    async def manifest_of(self, contents: Mapping[str, bytes], mode: int = 0o644) -> Manifest:
        """Store contents, and answer a manifest with a file of each."""
        return {path: await self.memento_of(content, mode) for path, content in contents.items()}

    async def memento_of(self, content: bytes, mode: int = 0o644) -> FileMemento:
        blob = Blob(hashlib.sha256(content).hexdigest(), len(content))
        written = self.folder / "written"
        await self.threads.run(written.write_bytes, content)
        await self.blobs.put(written, blob)
        return FileMemento(kind=FileKind.FILE, mode=mode, mtime_ns=LAST_WRITTEN, blob=blob)

    async def keep(self, directory: WorkspaceDirectory) -> Manifest | None:
        """Scan, store what is new and accept it, as the engine does; None when nothing changed."""
        scan = await directory.scan()
        if scan is None:
            return None
        written = scan.changes.written
        missing = {memento.blob.sha256 for memento in written.values() if memento.blob}
        await store_missing(scan.root, written, missing, self.blobs)
        directory.accept(scan)
        return scan.manifest


@contextmanager
def file_bench(
    folder: Path, *, renew_threads: Callable[[], object] | None = None
) -> Iterator[FileBench]:
    """A bench below this folder."""
    threads = FileThreads(2)
    blobs = LocalBlobStore(folder / "files", threads)
    workspaces = WorkspaceDirectories(folder / "files", blobs, threads, renew_threads=renew_threads)
    try:
        yield FileBench(folder, threads, blobs, workspaces)
    finally:
        workspaces.close()
        threads.close()
