"""Blobs in a store that speaks the S3 protocol, with copies on this machine."""

import hashlib
import os
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from wtb_async.application.files.blob_store import FileChanged, Quota
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.object_folder import ObjectFolder
from wtb_async.infrastructure.files.object_key import object_key
from wtb_async.infrastructure.files.object_reader import ObjectReader, store_is_away
from wtb_async.infrastructure.files.store_quota import UNLIMITED
from wtb_async.infrastructure.files.storing import disk_faults, open_file

PART_BYTES = 8 << 20
"""Larger files go in parts of this size at least."""
MAX_PARTS = 10_000
"""Of the protocol."""
PIECE_BYTES = 1 << 20
"""Files are read in pieces of this size."""
PARTS_AT_ONCE = 2
"""Of one file; that many parts are in memory for each thread."""


class S3BlobStore:
    """Keeps blobs in a bucket."""

    def __init__(
        self, store: ObjectStore, cache: Path, threads: FileThreads, quota: Quota = UNLIMITED
    ) -> None:
        """Keep copies in the folder `cache`, which is created when it is needed."""
        self._store = store
        self._copies = ObjectFolder(cache)
        self._threads = threads
        self._quota = quota
        self._reader = ObjectReader(store)

    async def put(self, file: Path, blob: Blob) -> None:
        """Store a file's content. Raises FileChanged, TransientError."""
        await self.put_all({blob: file})

    async def put_all(self, files: Mapping[Blob, Path]) -> None:
        """Store the contents of many files. Raises what `put` raises."""
        await self._quota.admit(sum(blob.size for blob in files))
        await self._threads.map(self._put, files.items())

    def read(self, blob: Blob, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The content in pieces. Raises BlobMissing, BlobAltered, TransientError."""
        return self._threads.iterate(self._reader.pieces(blob, start, end))

    async def local_file(self, blob: Blob) -> Path:
        """A copy on this machine. Raises what `read` raises, and StoreFull."""
        return await self._threads.run(self._copy, blob)

    async def local_files(self, blobs: Collection[Blob]) -> dict[Blob, Path]:
        """Copies on this machine. Raises what `local_file` raises."""
        return dict(zip(blobs, await self._threads.map(self._copy, blobs), strict=True))

    async def delete(self, sha256s: Collection[str]) -> None:
        """Remove blobs. Raises TransientError."""
        await self._threads.run(self._delete, [object_key(sha256) for sha256 in sha256s])

    async def stored(self, hash_prefix: str = "") -> AsyncIterator[tuple[Blob, datetime]]:
        """All blobs whose hashes begin so. Raises TransientError."""
        async for listed in self._threads.iterate(self._reader.stored(hash_prefix)):
            for item in listed:
                yield item

    async def tidy(self, unused_seconds: float) -> None:
        """Remove what crashes left here, and copies not used for so long."""
        await self._threads.run(self._tidy, time.time() - unused_seconds)

    def _put(self, item: tuple[Blob, Path]) -> None:
        blob, file = item
        with open_file(file, blob.size) as source:
            pieces = _checked(source, file, blob)
            try:
                if blob.size > PART_BYTES:
                    self._put_parts(blob, pieces)
                else:
                    obstore.put(self._store, object_key(blob.sha256), b"".join(pieces))
            except (BaseError, FileNotFoundError) as error:
                raise store_is_away(error) from error

    def _put_parts(self, blob: Blob, pieces: Iterator[bytes]) -> None:
        obstore.put(
            self._store,
            object_key(blob.sha256),
            pieces,
            use_multipart=True,
            chunk_size=max(PART_BYTES, -(-blob.size // MAX_PARTS)),
            max_concurrency=PARTS_AT_ONCE,
        )

    def _copy(self, blob: Blob) -> Path:
        with disk_faults(self._copies.folder):
            if not self._copies.has(blob):
                self._copies.add(blob, lambda descriptor: self._write(descriptor, blob))
            return self._copies.use(blob)

    def _write(self, descriptor: int, blob: Blob) -> None:
        with os.fdopen(descriptor, "wb", closefd=False) as copy:
            copy.writelines(self._reader.pieces(blob))

    def _tidy(self, unused_since: float) -> None:
        with disk_faults(self._copies.folder):
            self._copies.remove_strays()
            self._copies.remove_unused(unused_since)

    def _delete(self, keys: list[str]) -> None:
        try:
            obstore.delete(self._store, keys)
        except BaseError as error:
            raise store_is_away(error) from error


def _checked(source: int, file: Path, blob: Blob) -> Iterator[bytes]:
    """The content in pieces; raises FileChanged at the end when it is another one."""
    digest = hashlib.sha256()
    left = blob.size
    while piece := os.read(source, min(left, PIECE_BYTES)):
        digest.update(piece)
        left -= len(piece)
        yield piece
    if digest.hexdigest() != blob.sha256:
        raise FileChanged(file)
