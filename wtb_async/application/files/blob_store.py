"""Where the contents of files are kept, each once, by their SHA-256."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from pathlib import Path
from typing import Protocol

from wtb_async.domain.errors import PermanentError
from wtb_async.domain.file_commit import Blob


class BlobMissing(PermanentError):
    """A blob that should be in the store is not there."""

    code = "blob_missing"

    def __init__(self, sha256: str) -> None:
        super().__init__(f"blob {sha256} is missing in the store; run an integrity check")


class BlobAltered(PermanentError):
    """The content that the store has under a hash has another hash."""

    code = "blob_altered"

    def __init__(self, sha256: str) -> None:
        super().__init__(f"blob {sha256} was altered in the store; run an integrity check")


class BlobStore(Protocol):
    """Contents by hash; what was put is durable when the call returns."""

    async def put(self, file: Path, blob: Blob) -> None:
        """Store a file's content, which is checked against the hash on its way.

        Raises:
            BlobAltered: the content was another one by then; nothing was stored.
            TransientError: the store is away or full; nothing was stored.
        """

    def read(self, blob: Blob, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The content from byte `start` to before `end`, in pieces of constant size.

        Read whole, it is checked against the hash before the last piece is given.

        Raises:
            BlobMissing: it is not there.
            BlobAltered: it is another one.
        """

    async def local_file(self, blob: Blob) -> Path:
        """A read-only file on this machine with this content, to be linked or copied, not written.

        A store elsewhere is asked once and the content kept. Raises BlobMissing, BlobAltered.
        """

    async def delete(self, sha256s: Collection[str]) -> None:
        """Forget contents; those that are not there are passed over."""

    def stored(self) -> AsyncIterator[tuple[Blob, datetime]]:
        """All that is in the store, with the time it was put there."""
