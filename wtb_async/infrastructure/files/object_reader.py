"""Reads blobs through obstore, whichever store they are in."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from wtb_async.application.files.blob_store import BlobAltered, BlobMissing
from wtb_async.domain.errors import TransientError
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.object_key import OBJECTS, object_key, sha256_of_key

PIECE_BYTES = 4 << 20
"""Each piece is a request of its own, so that a slow reader lets none of them time out."""
LISTED_AT_ONCE = 1000


class ObjectReader:
    """What local and remote stores have in common."""

    def __init__(self, store: ObjectStore, threads: FileThreads) -> None:
        self._store = store
        self._threads = threads

    async def read(
        self, blob: Blob, *, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """The content in pieces, checked when it is read whole. Raises what BlobStore.read does."""
        end = blob.size if end is None else min(end, blob.size)
        digest = hashlib.sha256() if (start, end) == (0, blob.size) else None
        for at in range(start, end, PIECE_BYTES) or [start]:
            piece = await self._piece(blob, at, min(at + PIECE_BYTES, end))
            if digest:
                await self._threads.run(digest.update, piece)
            if digest and at + PIECE_BYTES >= end and digest.hexdigest() != blob.sha256:
                raise BlobAltered(blob.sha256)
            yield piece

    async def stored(self) -> AsyncIterator[tuple[Blob, datetime]]:
        """All blobs of the store, with the time they were put there. Raises TransientError."""
        try:
            async for chunk in obstore.list(self._store, OBJECTS, chunk_size=LISTED_AT_ONCE):
                for item in chunk:
                    yield Blob(sha256_of_key(item["path"]), item["size"]), item["last_modified"]
        except BaseError as error:
            raise store_is_away(error) from error

    async def _piece(self, blob: Blob, start: int, end: int) -> bytes:
        key = object_key(blob.sha256)
        try:
            if start >= end:
                await obstore.head_async(self._store, key)
                return b""
            piece = await obstore.get_range_async(self._store, key, start=start, end=end)
        except FileNotFoundError as error:
            raise BlobMissing(blob.sha256) from error
        except BaseError as error:
            await self._check_size(blob, error)
            raise store_is_away(error) from error
        if len(piece) != end - start:
            raise BlobAltered(blob.sha256)
        return piece.to_bytes()

    async def _check_size(self, blob: Blob, cause: BaseError) -> None:
        """A range past the end of an object looks like any other error."""
        try:
            found = await obstore.head_async(self._store, object_key(blob.sha256))
        except (BaseError, FileNotFoundError):
            return
        if found["size"] != blob.size:
            raise BlobAltered(blob.sha256) from cause


def store_is_away(error: BaseError) -> TransientError:
    """The store did not do what was asked; the first line of its error says why."""
    reason = str(error).partition("\n")[0]
    return TransientError(f"the blob store does not answer: {reason}")
