"""Filling a fresh directory with what a manifest says."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wtb_async.domain.file_commit import Blob, FileKind, FileMemento, Manifest
from wtb_async.infrastructure.workspaces.clock import FileClock
from wtb_async.infrastructure.workspaces.index import (
    IndexEntry,
    WorkspaceIndex,
    linked_signature_of,
)
from wtb_async.infrastructure.workspaces.linking import Linking, clone_file, copy_file
from wtb_async.infrastructure.workspaces.opening import DIRECTORY

_EXECUTABLE = 0o111


@dataclass(frozen=True, slots=True)
class Filling:
    """Makes the paths of manifests in fresh directories that nobody else knows yet."""

    linking: Linking
    copies: Callable[[str], bool]
    """Whether a file must not be a hard link."""

    def fill(self, root: Path, manifest: Manifest, sources: Mapping[Blob, Path]) -> frozenset[str]:
        """Make every path below a new folder; answers those that are hard links."""
        root.mkdir(mode=0o700)
        linked = [path for path in manifest if self._is_linked(path, manifest[path])]
        # Links come last: nothing is written through them, whatever the manifest says.
        for kind in (FileKind.FILE, FileKind.DIRECTORY, FileKind.SYMLINK):
            for folder, paths in _by_folder(manifest, kind).items():
                with _opened(root / folder) as directory:
                    for path in paths:
                        self._make(directory, path, manifest[path], sources)
        return frozenset(linked)

    def _is_linked(self, path: str, memento: FileMemento) -> bool:
        """A link has the mode of the blob, which no program could be run with."""
        return (
            self.linking is Linking.HARD_LINK
            and memento.kind is FileKind.FILE
            and not memento.mode & _EXECUTABLE
            and not self.copies(path)
        )

    def _make(
        self, directory: int, path: str, memento: FileMemento, sources: Mapping[Blob, Path]
    ) -> None:
        name = path.rpartition("/")[2]
        if memento.blob and self._is_linked(path, memento):
            os.link(sources[memento.blob], name, dst_dir_fd=directory)
            return
        if memento.blob:
            self._write(sources[memento.blob], directory, name, memento.mode)
        elif memento.target is not None:
            os.symlink(memento.target, name, dir_fd=directory)
        else:
            os.mkdir(name, dir_fd=directory)
            os.chmod(name, memento.mode, dir_fd=directory)
        times = (memento.mtime_ns, memento.mtime_ns)
        os.utime(name, ns=times, dir_fd=directory, follow_symlinks=False)

    def _write(self, source: Path, directory: int, name: str, mode: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        target = os.open(name, flags, 0o600, dir_fd=directory)
        try:
            if self.linking is Linking.CLONE:
                clone_file(source, target)
            else:
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
