"""What a directory looked like when its files were last read, so that only changes are read."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from wtb_async.domain.file_commit import Blob, FileKind, FileMemento, Manifest

Signature = tuple[int, ...]
"""What the file system says of a path; it is another one after every change."""

_VERSION = 1


def signature_of(status: os.stat_result) -> Signature:
    """Of a path that is the workspace's own.

    `ctime` tells changes that leave all the rest as it was; it cannot be set.
    """
    return (
        status.st_ino,
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def linked_signature_of(status: os.stat_result) -> Signature:
    """Of a hard link to a blob, whose `ctime` changes with every other link to it."""
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A path with its memento, as long as the file system says the same of it."""

    signature: Signature
    """Empty when the path was changed so late that a later change may look the same."""
    memento: FileMemento
    linked: bool = False
    """It is a hard link to a blob."""

    def still(self, status: os.stat_result) -> bool:
        """Whether a path that looks like this is the one that was indexed."""
        look = linked_signature_of if self.linked else signature_of
        return look(status) == self.signature


@dataclass(frozen=True)
class WorkspaceIndex:
    """All paths of a directory at one scan."""

    entries: Mapping[str, IndexEntry] = field(default_factory=dict)
    directories: Mapping[str, Signature] = field(default_factory=dict)
    """By path, that of the workspace itself is `.`."""

    @cached_property
    def manifest(self) -> Manifest:
        """The mementos alone."""
        return {path: item.memento for path, item in self.entries.items()}

    @cached_property
    def linked_files(self) -> Mapping[int, IndexEntry]:
        """Hard links to blobs by their inodes, under whichever path they are found."""
        return {item.signature[0]: item for item in self.entries.values() if item.linked}

    @cached_property
    def _own(self) -> list[tuple[str, Signature]]:
        return [
            *self.directories.items(),
            *(
                (path, item.signature)
                for path, item in self.entries.items()
                if not item.linked and item.memento.kind is not FileKind.DIRECTORY
            ),
        ]

    @cached_property
    def _linked(self) -> list[tuple[str, Signature]]:
        return [(path, item.signature) for path, item in self.entries.items() if item.linked]

    @property
    def paths(self) -> int:
        """How many are looked at to know that nothing has changed."""
        return len(self.entries) + len(self.directories)

    def holds(self, root: int) -> bool:
        """Whether nothing was changed below this open directory; False also when in doubt."""
        try:
            return bool(self.directories) and (
                _all_still(root, self._own, signature_of)
                and _all_still(root, self._linked, linked_signature_of)
            )
        except OSError:
            return False

    def save(self, file: Path, ignore: Sequence[str]) -> None:
        """Write it for a later process; a crash leaves the one of before."""
        rows = [_row(path, item) for path, item in self.entries.items()]
        fresh = file.with_name(f"{file.name}-{uuid4().hex}")
        fresh.write_bytes(orjson.dumps([_VERSION, ignore, self.directories, rows]))
        fresh.replace(file)

    @classmethod
    def load(cls, file: Path, ignore: Sequence[str]) -> "WorkspaceIndex | None":
        """What `save` wrote with the same ignore patterns; None when there is no such thing."""
        try:
            version, ignored, directories, rows = orjson.loads(file.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        if version != _VERSION or ignored != list(ignore):
            return None
        entries = {row[0]: _entry(row) for row in rows}
        return cls(
            entries,
            {path: tuple(signature) for path, signature in directories.items()},
        )


def _all_still(
    root: int, paths: list[tuple[str, Signature]], look: Callable[[os.stat_result], Signature]
) -> bool:
    for path, signature in paths:
        if look(os.stat(path, dir_fd=root, follow_symlinks=False)) != signature:
            return False
    return True


def _row(path: str, item: IndexEntry) -> list[Any]:
    memento = item.memento
    blob = memento.blob and (memento.blob.sha256, memento.blob.size)
    kept = (memento.kind, memento.mode, memento.mtime_ns, blob, memento.target)
    return [path, item.signature, item.linked, *kept]


def _entry(row: list[Any]) -> IndexEntry:
    _, signature, linked, kind, mode, mtime_ns, blob, target = row
    memento = FileMemento(
        kind=FileKind(kind),
        mode=mode,
        mtime_ns=mtime_ns,
        blob=Blob(*blob) if blob else None,
        target=target,
    )
    return IndexEntry(tuple(signature), memento, linked)
