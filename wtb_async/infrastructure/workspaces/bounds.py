"""What a scan refuses: too much, links to files outside, and names that differ by case only."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from wtb_async.domain.file_limits import (
    CaseCollision,
    FileLimits,
    FileTooLarge,
    TooManyFiles,
    UnsupportedFile,
    WorkspaceTooLarge,
)
from wtb_async.infrastructure.workspaces.index import IndexEntry


@dataclass
class _HardLink:
    path: str
    missing: int
    """How many more paths lead to the same file than were found."""


class ScanBounds:
    """Counts along a walk, and stops it as soon as a limit is passed."""

    def __init__(self, limits: FileLimits) -> None:
        self._limits = limits
        self._size = 0
        self._links: dict[int, _HardLink] = {}

    def count_directory(self, path: str, directories: int) -> None:
        """One more directory. Raises TooManyFiles."""
        if directories > self._limits.max_files:
            raise TooManyFiles(path, self._limits.max_files)

    def count_entry(
        self, path: str, entry: IndexEntry, status: os.stat_result, entries: int
    ) -> None:
        """One more path. Raises TooManyFiles, FileTooLarge, WorkspaceTooLarge."""
        if entries > self._limits.max_files:
            raise TooManyFiles(path, self._limits.max_files)
        if entry.memento.blob is None:
            return
        self.check_size(path, entry.memento.blob.size)
        self._size += entry.memento.blob.size
        if self._size > self._limits.max_workspace_bytes:
            raise WorkspaceTooLarge(path, self._limits.max_workspace_bytes)
        if status.st_nlink > 1 and not entry.linked:
            link = self._links.setdefault(status.st_ino, _HardLink(path, status.st_nlink))
            link.missing -= 1

    def check_size(self, path: str, size: int) -> None:
        """A file before it is read. Raises FileTooLarge."""
        if size > self._limits.max_file_bytes:
            raise FileTooLarge(path, size, self._limits.max_file_bytes)

    def check_links(self) -> None:
        """After the walk. Raises UnsupportedFile for files that are outside too."""
        for link in self._links.values():
            if link.missing > 0:
                raise UnsupportedFile(link.path, "it is a hard link to a file outside")


def check_cases(prefix: str, names: Sequence[str]) -> None:
    """Raise CaseCollision when two names of one directory are the same but for their case.

    They could not be made again on every file system; neither could names that differ only in how
    their accents are composed.
    """
    found: set[str] = set()
    for name in names:
        key = name.casefold()
        key = key if key.isascii() else unicodedata.normalize("NFC", key)
        if key in found:
            raise CaseCollision(prefix + name)
        found.add(key)
