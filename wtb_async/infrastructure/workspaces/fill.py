"""Filling a fresh directory with what a manifest says."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wtb_async.domain.file_commit import Blob, FileKind, FileMemento, Manifest
from wtb_async.infrastructure.workspaces.clock import FileClock
from wtb_async.infrastructure.workspaces.index import (
    IndexEntry,
    WorkspaceIndex,
    linked_signature_of,
)
from wtb_async.infrastructure.workspaces.linking import Linking, copy_file
from wtb_async.infrastructure.workspaces.opening import DIRECTORY

_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class _Place(NamedTuple):
    """A name in an open directory."""

    directory: int
    name: str


@dataclass(frozen=True, slots=True)
class Filling:
    """Makes the paths of manifests in fresh directories that nobody else knows yet."""

    linking: Linking
    copies: Callable[[str], bool]
    """Whether a file must not be a hard link."""

    def fill(self, root: Path, manifest: Manifest, sources: Mapping[Blob, Path]) -> frozenset[str]:
        """Make every path below a new folder; answers those that are hard links."""
        root.mkdir(mode=0o700)
        linked = set()
        # Links come last: nothing is written through them, whatever the manifest says.
        for kind in (FileKind.FILE, FileKind.DIRECTORY, FileKind.SYMLINK):
            for folder, paths in _by_folder(manifest, kind).items():
                with _opened(root / folder) as directory:
                    for path in paths:
                        place = _Place(directory, path.rpartition("/")[2])
                        if self._make(place, path, manifest[path], sources):
                            linked.add(path)
        return frozenset(linked)

    def _make(
        self, place: _Place, path: str, memento: FileMemento, sources: Mapping[Blob, Path]
    ) -> bool:
        """Make one path; answers whether it is a hard link."""
        if memento.blob:
            source = sources[memento.blob]
            if self._may_link(path, memento.blob, memento.mode) and _link(source, place):
                return True
            _write(source, place, memento.mode)
        elif memento.target is not None:
            os.symlink(memento.target, place.name, dir_fd=place.directory)
        else:
            os.mkdir(place.name, dir_fd=place.directory)
            os.chmod(place.name, memento.mode, dir_fd=place.directory)
        times = (memento.mtime_ns, memento.mtime_ns)
        os.utime(place.name, ns=times, dir_fd=place.directory, follow_symlinks=False)
        return False

    def _may_link(self, path: str, blob: Blob, mode: int) -> bool:
        """A link has the mode of the blob, which no program could be run with."""
        return (
            self.linking is Linking.HARD_LINK
            and blob.size > 0
            and not mode & _EXECUTABLE
            and not self.copies(path)
        )


def _link(source: Path, place: _Place) -> bool:
    """Link a blob, unless it has as many links already as the file system allows."""
    try:
        os.link(source, place.name, dst_dir_fd=place.directory)
    except OSError as error:
        if error.errno != errno.EMLINK:
            raise
        return False
    return True


def _write(source: Path, place: _Place, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    target = os.open(place.name, flags, stat.S_IRUSR | stat.S_IWUSR, dir_fd=place.directory)
    try:
        copy_file(source, target)
        os.fchmod(target, mode)
    finally:
        os.close(target)


def index_filled(
    root: Path, manifest: Manifest, linked: frozenset[str], clock: FileClock
) -> WorkspaceIndex:
    """Look at a directory that was filled a moment ago, before others may write to it."""

    def entry(path: str, memento: FileMemento) -> IndexEntry:
        status = os.stat(path, dir_fd=opened, follow_symlinks=False)
        if path in linked:
            return IndexEntry(linked_signature_of(status), memento, linked=True)
        return IndexEntry(clock.signature(status), memento)

    with _opened(root) as opened:
        entries = {path: entry(path, memento) for path, memento in manifest.items()}
        directories = {
            path: clock.signature(os.stat(path, dir_fd=opened, follow_symlinks=False))
            for path in _directories(manifest)
        }
    return WorkspaceIndex(entries, directories)


def _by_folder(manifest: Manifest, kind: FileKind) -> dict[str, list[str]]:
    """The paths of one kind by the folder that they are in."""
    folders: dict[str, list[str]] = {}
    for path, memento in manifest.items():
        if memento.kind is kind:
            folders.setdefault(path.rpartition("/")[0], []).append(path)
    return folders


def _directories(manifest: Manifest) -> set[str]:
    """All directories that there are when the paths of a manifest are."""
    found = {"."}
    for path, memento in manifest.items():
        folder = path if memento.kind is FileKind.DIRECTORY else path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """A directory, made if need be, as an open one."""
    folder.mkdir(parents=True, exist_ok=True)
    directory = os.open(folder, DIRECTORY)
    try:
        yield directory
    finally:
        os.close(directory)
