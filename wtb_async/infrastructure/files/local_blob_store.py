"""Blobs in a directory of this machine, or in one that all machines mount."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from obstore.store import LocalStore

from wtb_async.application.files.blob_store import BlobAltered, FileChanged, Quota
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.object_folder import ObjectFolder, copy_content
from wtb_async.infrastructure.files.object_reader import ObjectReader
from wtb_async.infrastructure.files.store_quota import UNLIMITED
from wtb_async.infrastructure.files.storing import disk_faults, open_file

LOOKS_TOGETHER = 64
"""Most blobs have been read before, and a look at one takes microseconds."""


class LocalBlobStore:
    """Keeps blobs in a folder; writes them durably, with many under way at once."""

    def __init__(self, folder: Path, threads: FileThreads, quota: Quota = UNLIMITED) -> None:
        """Store in `folder`, which is created when it is needed."""
        self._objects = ObjectFolder(folder)
        self._threads = threads
        self._quota = quota

    @cached_property
    def _reader(self) -> ObjectReader:
        with disk_faults(self._objects.folder):
            return ObjectReader(LocalStore(self._objects.folder, mkdir=True))

    async def put(self, file: Path, blob: Blob) -> None:
        """Store a file's content. Raises FileChanged, StoreFull, TransientError."""
        await self.put_all({blob: file})

    async def put_all(self, files: Mapping[Blob, Path]) -> None:
        """Store the contents of many files. Raises what `put` raises."""
        await self._quota.admit(sum(blob.size for blob in files))
        await self._threads.map(self._put, files.items())
        await self._threads.run(self._synchronise, [blob.sha256 for blob in files])

    def read(self, blob: Blob, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The content in pieces. Raises BlobMissing, BlobAltered, TransientError."""
        return self._threads.iterate(self._reader.pieces(blob, start, end))

    async def local_file(self, blob: Blob) -> Path:
        """The blob itself. Raises BlobMissing, BlobAltered, TransientError."""
        return (await self.local_files([blob]))[blob]

    async def local_files(self, blobs: Collection[Blob]) -> dict[Blob, Path]:
        """The blobs themselves. Raises what `local_file` raises."""
        found: dict[Blob, Path] = {}
        if len(blobs) <= LOOKS_TOGETHER:
            found = await self._threads.run_briefly(self._seen, blobs)
        left = [blob for blob in blobs if blob not in found]
        checked = await self._threads.map(self._check, left, together=LOOKS_TOGETHER)
        return found | dict(zip(left, checked, strict=True))

    async def delete(self, sha256s: Collection[str]) -> None:
        """Remove blobs. Raises TransientError."""
        await self._threads.run(self._delete, sha256s)

    async def stored(self, hash_prefix: str = "") -> AsyncIterator[tuple[Blob, datetime]]:
        """All blobs whose hashes begin so. Raises TransientError."""
        async for listed in self._threads.iterate(self._reader.stored(hash_prefix)):
            for item in listed:
                yield item

    async def tidy(self, unused_seconds: float) -> None:  # noqa: ARG002 - there are no copies here
        """Remove what crashes left. Raises TransientError."""
        await self._threads.run(self._remove_strays)

    def _put(self, item: tuple[Blob, Path]) -> None:
        blob, file = item
        with disk_faults(self._objects.folder):
            # Another runner may be storing the same, and workspaces link to what is there.
            if self._objects.has(blob):
                return
            with open_file(file, blob.size) as source:
                try:
                    self._objects.add(blob, partial(copy_content, source, blob.size))
                except BlobAltered as error:
                    raise FileChanged(file) from error

    def _seen(self, blobs: Collection[Blob]) -> dict[Blob, Path]:
        """Those that need not be read again."""
        with disk_faults(self._objects.folder):
            seen = ((blob, self._objects.path_if_seen(blob)) for blob in blobs)
            return {blob: path for blob, path in seen if path is not None}

    def _check(self, blob: Blob) -> Path:
        with disk_faults(self._objects.folder):
            return self._objects.check(blob)

    def _synchronise(self, sha256s: Collection[str]) -> None:
        with disk_faults(self._objects.folder):
            self._objects.synchronise(sha256s)

    def _delete(self, sha256s: Collection[str]) -> None:
        with disk_faults(self._objects.folder):
            self._objects.delete(sha256s)

    def _remove_strays(self) -> None:
        with disk_faults(self._objects.folder):
            self._objects.remove_strays()
