"""A folder of blobs on this machine, each of which is there whole and unaltered or not at all."""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from uuid import uuid4

from wtb_async.application.files.blob_store import BlobAltered, BlobMissing
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.files.object_key import OBJECTS, object_key

READ_ONLY = 0o444
"""Links to a blob must not be written through."""

STRAY_SECONDS = 3600.0
"""Nobody who is still at work leaves a file alone for this time."""
MAX_SEEN = 100_000
"""Blobs of which a process knows that it has checked them: some 30 MiB."""
CANNOT_COPY_RANGE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}

Fill = Callable[[int], None]
"""Writes a content into the file with this descriptor."""


class ObjectFolder:
    """Blobs as read-only files `objects/ab/cdef...`; all calls block.

    A blob is written to `incoming/` under a name of its own, read back, and renamed when it is on
    the disk, so a crash leaves nothing but a file there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / "incoming"
        self._seen_whole: dict[str, tuple[int, ...]] = {}

    def path_of(self, sha256: str) -> Path:
        """Where this blob is or would be."""
        return self.folder / object_key(sha256)

    def check(self, blob: Blob) -> Path:
        """Where this blob is. Raises BlobMissing, BlobAltered.

        It is read when this process sees it for the first time, or sees it written to since; an
        error of the disk that comes later shows when it is read.
        """
        path = self.path_of(blob.sha256)
        try:
            if self._seen_whole.get(blob.sha256) != (identity := _identity(path.stat())):
                with path.open("rb", buffering=0) as file:
                    _check_content(file, blob)
                self._remember(blob, identity)
        except FileNotFoundError as error:
            raise BlobMissing(blob.sha256) from error
        return path

    def path_if_seen(self, blob: Blob) -> Path | None:
        """Where this blob is, if it need not be read to know that."""
        path = self.path_of(blob.sha256)
        try:
            seen = self._seen_whole.get(blob.sha256)
            return path if seen is not None and seen == _identity(path.stat()) else None
        except FileNotFoundError:
            return None

    def has(self, blob: Blob) -> bool:
        """Tell whether this blob is there, unaltered."""
        try:
            self.check(blob)
        except (BlobMissing, BlobAltered):
            return False
        return True

    def add(self, blob: Blob, fill: Fill) -> None:
        """Keep a content; it lasts once its directory is synchronised, too.

        Raises BlobAltered when it is not what the blob says.
        """
        self._incoming.mkdir(parents=True, exist_ok=True)
        incoming = self._incoming / uuid4().hex
        try:
            descriptor = os.open(incoming, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                fill(descriptor)
                _finish(descriptor, blob)
            finally:
                os.close(descriptor)
            self._remember(blob, _identity(incoming.stat()))
            self._rename(incoming, self.path_of(blob.sha256))
        except BaseException:
            incoming.unlink(missing_ok=True)
            raise

    def delete(self, sha256s: Iterable[str]) -> None:
        """Remove blobs; those that are not there are passed over."""
        for sha256 in sha256s:
            self.path_of(sha256).unlink(missing_ok=True)
            self._seen_whole.pop(sha256, None)

    def synchronise(self, sha256s: Iterable[str]) -> None:
        """Let what was added or removed last through a loss of power."""
        for directory in {self.path_of(sha256).parent for sha256 in sha256s}:
            _synchronise(directory)
        for directory in (self.folder / OBJECTS, self.folder):
            _synchronise(directory)

    def use(self, blob: Blob) -> Path:
        """Where this blob is, noting that it is of use. Raises BlobMissing, BlobAltered."""
        path = self.check(blob)
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        return path

    def remove_unused(self, since: float) -> None:
        """Remove blobs that nobody has used, linked or unlinked since a time in seconds."""
        for path in (self.folder / OBJECTS).glob("*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_ctime < since:
                    self.delete([path.parent.name + path.name])

    def remove_strays(self) -> None:
        """Remove what crashes left: files that nobody has written to for long."""
        for file in self._incoming.glob("*"):
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < time.time() - STRAY_SECONDS:
                    file.unlink()

    def _remember(self, blob: Blob, identity: tuple[int, ...]) -> None:
        if len(self._seen_whole) >= MAX_SEEN:
            self._seen_whole.clear()
        self._seen_whole[blob.sha256] = identity

    def _rename(self, incoming: Path, path: Path) -> None:
        try:
            incoming.rename(path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            incoming.rename(path)


def copy_content(source: int, size: int, target: int) -> None:
    """Copy so many bytes into an empty file; file systems that can share the blocks do."""
    while size and (copied := _copy(source, size, target)):
        size -= copied


def _copy(source: int, size: int, target: int) -> int:
    try:
        return os.copy_file_range(source, target, size)
    except OSError as error:
        if error.errno not in CANNOT_COPY_RANGE:
            raise
        return os.sendfile(target, source, None, size)


def _finish(descriptor: int, blob: Blob) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        _check_content(file, blob)
    os.fchmod(descriptor, READ_ONLY)
    os.fsync(descriptor)


def _check_content(file: FileIO, blob: Blob) -> None:
    if hashlib.file_digest(file, "sha256").hexdigest() != blob.sha256:
        raise BlobAltered(blob.sha256)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _synchronise(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
