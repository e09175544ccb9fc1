"""Archives that are made member by member, and are the same bytes for the same files."""

import stat
import tarfile
import zipfile
import zlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from wtb_async.domain.file_commit import FileKind, FileMemento
from wtb_async.domain.file_path import check_path

_GZIP = 16 + zlib.MAX_WBITS
_TAR_TYPES = {
    FileKind.FILE: tarfile.REGTYPE,
    FileKind.SYMLINK: tarfile.SYMTYPE,
    FileKind.DIRECTORY: tarfile.DIRTYPE,
}
_STAT_TYPES = {
    FileKind.FILE: stat.S_IFREG,
    FileKind.SYMLINK: stat.S_IFLNK,
    FileKind.DIRECTORY: stat.S_IFDIR,
}
_UNIX = 3
_MSDOS_DIRECTORY = 0x10
_ZIP_YEARS = range(1980, 2108)
_FIRST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class ArchiveFormat(StrEnum):
    """How files are packed."""

    TAR_GZ = "tar.gz"
    ZIP = "zip"

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return "application/gzip" if self is ArchiveFormat.TAR_GZ else "application/zip"


class Archive(Protocol):
    """Packs one member after another; every call answers the bytes that are ready by then."""

    def begin(self, path: str, memento: FileMemento) -> bytes:
        """Begin a member; a file's content is still to be written. Raises UnsafePath."""

    def write(self, piece: bytes) -> bytes:
        """Add to the content of the file that was begun."""

    def end(self) -> bytes:
        """End the member."""

    def close(self) -> bytes:
        """End the archive."""


def new_archive(archive_format: ArchiveFormat) -> Archive:
    """An empty archive."""
    return TarArchive() if archive_format is ArchiveFormat.TAR_GZ else ZipArchive()


class TarArchive:
    """A tar file in POSIX's format, with names in UTF-8 and no owners, compressed with gzip."""

    def __init__(self) -> None:
        # Written by zlib, the head of the gzip file has no time and no name in it.
        self._gzip = zlib.compressobj(wbits=_GZIP)
        self._size = 0

    def begin(self, path: str, memento: FileMemento) -> bytes:
        """Write the member's head."""
        info = tarfile.TarInfo(check_path(path))
        info.type = _TAR_TYPES[memento.kind]
        info.mode = memento.mode
        info.mtime = memento.mtime_ns // 10**9
        info.size = self._size = memento.blob.size if memento.blob else 0
        info.linkname = memento.target or ""
        return self._gzip.compress(info.tobuf(tarfile.PAX_FORMAT, "utf-8"))

    def write(self, piece: bytes) -> bytes:
        """Compress a piece."""
        return self._gzip.compress(piece)

    def end(self) -> bytes:
        """Fill the last block."""
        return self._gzip.compress(bytes(-self._size % tarfile.BLOCKSIZE))

    def close(self) -> bytes:
        """Write the two empty blocks that end a tar file."""
        return self._gzip.compress(bytes(2 * tarfile.BLOCKSIZE)) + self._gzip.flush()


class ZipArchive:
    """A zip file; sizes follow the contents, so that nobody needs to go back to write them.

    Its table of contents is kept until the end: some hundred bytes for each member.
    """

    def __init__(self) -> None:
        self._written = _Written()
        self._zip = _ZipFile(self._written, "w")

    def begin(self, path: str, memento: FileMemento) -> bytes:
        """Write the member's head; the content of a link is its target."""
        self._member = self._zip.open(_zip_info(path, memento), "w")
        if memento.target is not None:
            self._member.write(memento.target.encode())
        return self._written.take()

    def write(self, piece: bytes) -> bytes:
        """Compress a piece."""
        self._member.write(piece)
        return self._written.take()

    def end(self) -> bytes:
        """Write the member's sizes."""
        self._member.close()
        return self._written.take()

    def close(self) -> bytes:
        """Write the table of contents."""
        self._zip.close()
        return self._written.take()


class _ZipFile(zipfile.ZipFile):
    def __del__(self) -> None:
        """An archive that was given up needs no end, and cannot have one within a member."""


def _zip_info(path: str, memento: FileMemento) -> zipfile.ZipInfo:
    is_directory = memento.kind is FileKind.DIRECTORY
    info = zipfile.ZipInfo(check_path(path) + "/" * is_directory, _zip_time(memento))
    info.create_system = _UNIX
    info.external_attr = (_STAT_TYPES[memento.kind] | memento.mode) << 16
    if is_directory:
        info.external_attr |= _MSDOS_DIRECTORY
    else:
        info.compress_type = zipfile.ZIP_DEFLATED
    # Decides whether its sizes need more than 32 bits.
    info.file_size = memento.blob.size if memento.blob else 0
    return info


def _zip_time(memento: FileMemento) -> tuple[int, int, int, int, int, int]:
    """In UTC: a zip file knows no zones, nor years before 1980."""
    at = datetime.fromtimestamp(memento.mtime_ns // 10**9, UTC)
    if at.year not in _ZIP_YEARS:
        return _FIRST_ZIP_TIME
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)


class _Written:
    """A file that can only be written to, from which what was written is taken away."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, content: bytes) -> int:
        self._content += content
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Whoever takes what was written decides when it ends."""

    def take(self) -> bytes:
        content = bytes(self._content)
        self._content.clear()
        return content
