"""Reads blobs through obstore, whichever store they are in."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from wtb_async.application.files.blob_store import BlobAltered, BlobMissing
from wtb_async.domain.errors import TransientError
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.files.object_key import OBJECTS, object_key, sha256_of_key

PIECE_BYTES = 4 << 20
"""Each piece is a request of its own, so that a slow reader lets none of them time out."""
LISTED_AT_ONCE = 1000

Listed = list[tuple[Blob, datetime]]
"""Blobs with the time they were put there."""


class ObjectReader:
    """What local and remote stores have in common; all calls block."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def pieces(self, blob: Blob, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The content, checked when it is read whole. Raises what BlobStore.read does."""
        end = blob.size if end is None else min(end, blob.size)
        digest = hashlib.sha256() if (start, end) == (0, blob.size) else None
        for at in range(start, end, PIECE_BYTES) or [start]:
            piece = self._piece(blob, at, min(at + PIECE_BYTES, end))
            if digest:
                digest.update(piece)
                if at + PIECE_BYTES >= end and digest.hexdigest() != blob.sha256:
                    raise BlobAltered(blob.sha256)
            yield piece

    def stored(self, hash_prefix: str) -> Iterator[Listed]:
        """Those of the store whose hashes begin so, many at a time. Raises TransientError."""
        try:
            for chunk in obstore.list(self._store, _folder(hash_prefix), chunk_size=LISTED_AT_ONCE):
                yield [
                    (Blob(sha256, item["size"]), item["last_modified"])
                    for item in chunk
                    if (sha256 := sha256_of_key(item["path"])).startswith(hash_prefix)
                ]
        except BaseError as error:
            raise store_is_away(error) from error

    def _piece(self, blob: Blob, start: int, end: int) -> bytes:
        key = object_key(blob.sha256)
        try:
            if start >= end:
                obstore.head(self._store, key)
                return b""
            piece = obstore.get_range(self._store, key, start=start, end=end)
        except FileNotFoundError as error:
            raise BlobMissing(blob.sha256) from error
        except BaseError as error:
            self._check_size(blob, error)
            raise store_is_away(error) from error
        if len(piece) != end - start:
            raise BlobAltered(blob.sha256)
        return piece.to_bytes()

    def _check_size(self, blob: Blob, cause: BaseError) -> None:
        """A range past the end of an object looks like any other error."""
        try:
            found = obstore.head(self._store, object_key(blob.sha256))
        except (BaseError, FileNotFoundError):
            return
        if found["size"] != blob.size:
            raise BlobAltered(blob.sha256) from cause


def store_is_away(error: Exception) -> TransientError:
    """The store did not do what was asked; the first line of its error says why."""
    reason = str(error).partition("\n")[0]
    return TransientError(f"the blob store does not answer: {reason}")


def _folder(hash_prefix: str) -> str:
    return f"{OBJECTS}/{hash_prefix[:2]}" if len(hash_prefix) > 1 else OBJECTS
