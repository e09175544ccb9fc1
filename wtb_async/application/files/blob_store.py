"""Where the contents of files are kept, each once, by their SHA-256."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from wtb_async.domain.errors import PermanentError, TransientError
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


class FileChanged(TransientError):
    """A file was written, replaced or removed while it was being stored."""

    code = "file_changed"

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} was changed while it was being stored; store it again")


class StoreFull(TransientError):
    """There is no room for another blob."""

    code = "store_full"


class StoreLimit(PermanentError):
    """All blobs together would become more than is allowed."""

    code = "store_limit"

    def __init__(self, *, used: int, size: int, limit: int) -> None:
        super().__init__(
            f"{size} bytes more would exceed the {limit} that the blob store may hold "
            f"({used} are stored); delete executions, or set WTB_FILES__MAX_STORE_BYTES"
        )


class Quota(Protocol):
    """Limits what a store takes."""

    async def admit(self, size: int) -> None:
        """Count so many bytes as stored. Raises StoreLimit when there is no room for them."""


class BlobStore(Protocol):
    """Contents by hash; what was put is durable when the call returns."""

    async def put(self, file: Path, blob: Blob) -> None:
        """Store a file's content, which is checked against the hash on its way.

        Raises:
            FileChanged: the content is another one by now; nothing was stored.
            StoreFull: there is no room; nothing was stored.
            StoreLimit: it would be more than is allowed; nothing was stored.
            TransientError: the store is away; nothing was stored.
        """

    async def put_all(self, files: Mapping[Blob, Path]) -> None:
        """Store the contents of many files at once, far faster than one by one.

        Raises what `put` raises; each of the others may have been stored or not, but none by half.
        """

    def read(self, blob: Blob, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The content from byte `start` to before `end`, in pieces of a bounded size.

        Read whole, it is checked against the hash before the last piece is given.

        Raises:
            BlobMissing: it is not there.
            BlobAltered: it is another one.
            TransientError: the store is away.
        """

    async def local_file(self, blob: Blob) -> Path:
        """A read-only file on this machine with this content, to be linked or copied, not written.

        A store elsewhere is asked once and the content kept. Raises what `read` raises, and
        StoreFull when there is no room for it here.
        """

    async def local_files(self, blobs: Collection[Blob]) -> dict[Blob, Path]:
        """The same for many at once."""

    async def delete(self, sha256s: Collection[str]) -> None:
        """Forget contents; those that are not there are passed over."""

    def stored(self, hash_prefix: str = "") -> AsyncIterator[tuple[Blob, datetime]]:
        """All that is in the store and whose hash begins so, with the time it was put there."""

    async def tidy(self, unused_seconds: float) -> None:
        """Remove from this machine what crashes left, and copies that nobody has used for so long.

        Each machine that uses the store does this for itself.
        """
