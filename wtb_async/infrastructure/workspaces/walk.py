"""The walk through a workspace's directories that a scan is made of."""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from wtb_async.application.files.blob_store import BlobAltered
from wtb_async.domain.file_commit import Blob, FileKind, FileMemento
from wtb_async.domain.file_limits import UnsupportedFile
from wtb_async.domain.file_path import UnsafePath, check_path, check_target
from wtb_async.infrastructure.files.object_folder import READ_ONLY
from wtb_async.infrastructure.workspaces.bounds import ScanBounds, check_cases
from wtb_async.infrastructure.workspaces.clock import FileClock
from wtb_async.infrastructure.workspaces.index import (
    IndexEntry,
    Signature,
    WorkspaceIndex,
    linked_signature_of,
    signature_of,
)
from wtb_async.infrastructure.workspaces.opening import DIRECTORY, FILE
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules

MAX_DEPTH = 128
"""Folders in folders: each is held open while what is in it is read."""

_ATTEMPTS = 5
_REPLACED = {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}
_PIECE = 1 << 20


class _Place(NamedTuple):
    """A name in an open directory."""

    directory: int
    name: str
    path: str


class _Changing(Exception):
    """What was listed is another thing by the time it is read."""


@dataclass
class Walk:
    """One scan at work; every path is reached through the open directory that holds it."""

    known: WorkspaceIndex
    rules: WorkspaceRules
    clock: FileClock
    is_source: bool = False
    """Nodes do not write to it, so what else its files are linked to does not matter."""
    entries: dict[str, IndexEntry] = field(default_factory=dict)
    directories: dict[str, Signature] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bounds = ScanBounds(self.rules.limits)

    def through(self, root: int) -> WorkspaceIndex:
        """Read all that is below an open directory."""
        self._enter(root, "", os.fstat(root))
        if not self.is_source:
            self._bounds.check_links()
        return WorkspaceIndex(self.entries, self.directories)

    def _enter(self, directory: int, path: str, status: os.stat_result) -> None:
        if path.count("/") >= MAX_DEPTH:
            raise UnsafePath(path, f"it is more than {MAX_DEPTH} folders deep")
        self.directories[path or "."] = self._signature(status)
        self._bounds.count_directory(path, len(self.directories))
        prefix = path and path + "/"
        names, known = [], self.known.entries
        with os.scandir(directory) as found:
            for entry in found:
                name = entry.name
                place = prefix + name
                try:
                    status = entry.stat(follow_symlinks=False)
                    old = known.get(place)
                    if old is not None and old.still(status):
                        self._add(place, old, status)
                    elif not self._visit(_Place(directory, name, place), status):
                        continue
                except FileNotFoundError:
                    continue
                names.append(name)
        check_cases(prefix, names)

    def _visit(self, place: _Place, status: os.stat_result) -> bool:
        """Take what has changed into the index; answers whether it is not an ignored path."""
        if self._ignores(place.path, status):
            return False
        self._read_until_it_stands_still(place, status)
        return True

    def _ignores(self, path: str, status: os.stat_result) -> bool:
        if stat.S_ISDIR(status.st_mode):
            return path not in self.known.directories and self.rules.ignores(path + "/")
        return path not in self.known.entries and self.rules.ignores(path)

    def _read_until_it_stands_still(self, place: _Place, status: os.stat_result) -> None:
        check_path(place.path)
        for left in reversed(range(_ATTEMPTS)):
            try:
                return self._read(place, status, is_last=left == 0)
            except _Changing:
                status = os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)
            except PermissionError as error:
                raise UnsupportedFile(place.path, "it cannot be read") from error
        raise UnsupportedFile(place.path, "it is another thing at every look")

    def _read(self, place: _Place, status: os.stat_result, *, is_last: bool) -> None:
        if stat.S_ISDIR(status.st_mode):
            self._read_directory(place)
        elif stat.S_ISLNK(status.st_mode):
            self._read_link(place, status)
        elif stat.S_ISREG(status.st_mode):
            self._read_file(place, status, is_last=is_last)
        else:
            raise UnsupportedFile(place.path, "it is neither a file nor a directory nor a link")

    def _read_directory(self, place: _Place) -> None:
        directory = _open(place, DIRECTORY)
        try:
            status = os.fstat(directory)
            count = len(self.entries)
            self._enter(directory, place.path, status)
            if len(self.entries) == count:
                self._add(place.path, self._empty_directory(place.path, status), status)
        finally:
            os.close(directory)

    def _empty_directory(self, path: str, status: os.stat_result) -> IndexEntry:
        """Its time alone is no change: ignored files come and go in it."""
        mode = stat.S_IMODE(status.st_mode)
        known = self.known.entries.get(path)
        if known and known.memento.kind is FileKind.DIRECTORY and known.memento.mode == mode:
            return known
        memento = FileMemento(kind=FileKind.DIRECTORY, mode=mode, mtime_ns=status.st_mtime_ns)
        return IndexEntry((), memento)

    def _read_link(self, place: _Place, status: os.stat_result) -> None:
        try:
            target = os.readlink(place.name, dir_fd=place.directory)
        except OSError as error:
            raise _Changing from error
        memento = FileMemento(
            kind=FileKind.SYMLINK,
            mode=stat.S_IMODE(status.st_mode),
            mtime_ns=status.st_mtime_ns,
            target=check_target(place.path, target),
        )
        self._add(place.path, IndexEntry(self._signature(status), memento), status)

    def _read_file(self, place: _Place, status: os.stat_result, *, is_last: bool) -> None:
        linked = self.known.linked_files.get(status.st_ino)
        if linked and linked.still(status):
            self._add(place.path, linked, status)
            return
        descriptor = _open(place, FILE)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _Changing
            self._bounds.check_size(place.path, status.st_size)
            blob = _blob_of(descriptor, status.st_size)
            is_steady = signature_of(os.fstat(descriptor)) == signature_of(status)
            if not is_steady and not is_last:
                raise _Changing
            if linked:
                entry = _restored(linked, descriptor, blob)
            else:
                # A log that a neighbour is writing is kept as far as it was read, and read again.
                signature = self._signature(status) if is_steady else ()
                entry = IndexEntry(signature, _memento(status, blob))
        finally:
            os.close(descriptor)
        self._add(place.path, entry, status)

    def _signature(self, status: os.stat_result) -> Signature:
        return self.clock.signature(status)

    def _add(self, path: str, entry: IndexEntry, status: os.stat_result) -> None:
        self.entries[path] = entry
        self._bounds.count_entry(path, entry, status, len(self.entries))


def _open(place: _Place, flags: int) -> int:
    """Open what was listed. Raises _Changing when a link or another thing is in its place now."""
    try:
        return os.open(place.name, flags, dir_fd=place.directory)
    except OSError as error:
        if error.errno in _REPLACED:
            raise _Changing from error
        raise


def _memento(status: os.stat_result, blob: Blob) -> FileMemento:
    return FileMemento(
        kind=FileKind.FILE,
        mode=stat.S_IMODE(status.st_mode),
        mtime_ns=status.st_mtime_ns,
        blob=blob,
    )


def _restored(linked: IndexEntry, descriptor: int, blob: Blob) -> IndexEntry:
    """Protect a blob again whose mode or time a program changed through a link to it.

    Raises:
        BlobAltered: it wrote to it, too.
    """
    if linked.memento.blob and blob != linked.memento.blob:
        raise BlobAltered(linked.memento.blob.sha256)
    os.fchmod(descriptor, READ_ONLY)
    return replace(linked, signature=linked_signature_of(os.fstat(descriptor)))


def _blob_of(descriptor: int, size: int) -> Blob:
    """Hash as many bytes as the file had, in pieces."""
    digest, left = hashlib.sha256(), size
    while left and (piece := os.read(descriptor, min(left, _PIECE))):
        digest.update(piece)
        left -= len(piece)
    return Blob(digest.hexdigest(), size - left)
