"""The files of ended executions, each execution's in one archive."""

import gzip
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.domain.file_commit import Blob, FileKind, FileMemento, Manifest
from wtb_async.infrastructure.files.file_threads import FileThreads

_NS = 1_000_000_000
_LEVEL = 6
_TYPES = {
    FileKind.FILE: tarfile.REGTYPE,
    FileKind.SYMLINK: tarfile.SYMTYPE,
    FileKind.DIRECTORY: tarfile.DIRTYPE,
}


class WorkspaceArchives:
    """Keeps archives in a folder of this machine, whole or not at all."""

    def __init__(self, folder: Path, blobs: BlobStore, threads: FileThreads) -> None:
        """Write to `archives` in `folder`, which is that of all files of this machine."""
        self._folder = folder.absolute() / "archives"
        self._blobs = blobs
        self._threads = threads

    async def write(self, execution_id: UUID, manifest: Manifest) -> Path:
        """Write `<execution>.tar.gz` in place of whatever it was; the same files, the same bytes.

        Raises:
            BlobMissing, BlobAltered, TransientError: the store could not give a content.
        """
        blobs = {memento.blob for memento in manifest.values() if memento.blob}
        sources = await self._blobs.local_files(blobs)
        return await self._threads.run(self._write, execution_id, manifest, sources)

    def _write(self, execution_id: UUID, manifest: Manifest, sources: Mapping[Blob, Path]) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        archive = self._folder / f"{execution_id}.tar.gz"
        fresh = self._folder / f".{uuid4().hex}"
        try:
            with fresh.open("xb") as file:
                _pack(file, manifest, sources)
                os.fsync(file.fileno())
            fresh.replace(archive)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        return archive


def _pack(file: BinaryIO, manifest: Manifest, sources: Mapping[Blob, Path]) -> None:
    with (
        gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(manifest):
            memento = manifest[path]
            if memento.blob is None:
                tar.addfile(_member(path, memento))
                continue
            with sources[memento.blob].open("rb") as content:
                tar.addfile(_member(path, memento), content)


def _member(path: str, memento: FileMemento) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type = _TYPES[memento.kind]
    member.mode = memento.mode
    member.mtime = memento.mtime_ns // _NS
    member.size = memento.blob.size if memento.blob else 0
    member.linkname = memento.target or ""
    return member
