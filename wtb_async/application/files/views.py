"""Files as readers see them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from wtb_async.domain.file_commit import FileKind, FileMemento
from wtb_async.domain.file_difference import FileChange, FileDifference

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """One path of a workspace as it was."""

    path: str
    kind: FileKind
    size: int | None
    """Bytes of a file."""
    mode: int
    """The permission bits, as a number: 420 is `rw-r--r--`."""
    modified_at: datetime
    sha256: str | None
    """Of a file's content."""
    target: str | None
    """Of a symbolic link."""

    @classmethod
    def of(cls, path: str, memento: FileMemento) -> Self:
        """What a memento shows."""
        blob = memento.blob
        return cls(
            path=path,
            kind=memento.kind,
            size=blob.size if blob else None,
            mode=memento.mode,
            modified_at=_EPOCH + timedelta(microseconds=memento.mtime_ns // 1000),
            sha256=blob.sha256 if blob else None,
            target=memento.target,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesView:
    """A page of the files at one moment, by the bytes of their paths."""

    items: list[FileView]
    next_cursor: str | None
    file_commit_id: UUID | None
    """What they were read from; missing when the execution has no files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifferenceView:
    """A path that differs."""

    path: str
    change: FileChange
    before: FileView | None
    after: FileView | None
    diff: str | None
    """The unified diff of two texts; missing for what is too large or no text."""

    @classmethod
    def of(cls, difference: FileDifference, diff: str | None) -> Self:
        """What a difference shows."""
        path, before, after = difference.path, difference.before, difference.after
        return cls(
            path=path,
            change=difference.change,
            before=FileView.of(path, before) if before else None,
            after=FileView.of(path, after) if after else None,
            diff=diff,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifferencesView:
    """A page of the paths that differ between two moments, by the bytes of their paths."""

    items: list[FileDifferenceView]
    next_cursor: str | None
    before_commit_id: UUID | None
    after_commit_id: UUID | None
