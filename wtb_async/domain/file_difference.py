"""What is different between the files of two moments."""

from dataclasses import dataclass
from enum import StrEnum

from wtb_async.domain.file_commit import FileMemento


class FileChange(StrEnum):
    """How a path differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    """Another content, another target, or another kind of path."""
    MODE = "mode"
    """Only the permission bits are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """A path that is not the same in both."""

    path: str
    change: FileChange
    before: FileMemento | None
    after: FileMemento | None


def difference_at(
    path: str, before: FileMemento | None, after: FileMemento | None
) -> FileDifference | None:
    """Compare a path of two manifests; a file that was only written again is the same."""
    change = _change(before, after)
    if change is None:
        return None
    return FileDifference(path=path, change=change, before=before, after=after)


def _change(before: FileMemento | None, after: FileMemento | None) -> FileChange | None:
    if before is None:
        return None if after is None else FileChange.ADDED
    if after is None:
        return FileChange.REMOVED
    if (before.kind, before.blob, before.target) != (after.kind, after.blob, after.target):
        return FileChange.CHANGED
    return None if before.mode == after.mode else FileChange.MODE
