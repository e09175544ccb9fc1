"""File commits: what a workspace held at a moment, each as the changes since the one before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class FileKind(StrEnum):
    """What a path of a workspace is."""

    FILE = "file"
    SYMLINK = "symlink"
    """Its target is relative and inside the workspace."""
    DIRECTORY = "directory"
    """An empty one; the others follow from the paths of what they hold."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Content that is stored once, whoever has it."""

    sha256: str
    """64 hexadecimal digits."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMemento:
    """A path as it was: enough to make it again."""

    kind: FileKind
    mode: int
    """The permission bits."""
    mtime_ns: int
    """Nanoseconds since 1970."""
    blob: Blob | None = None
    """Of a file."""
    target: str | None = None
    """Of a symbolic link."""


Manifest = Mapping[str, FileMemento]
"""All paths of a workspace, each relative to it."""


@dataclass(frozen=True, slots=True)
class FileChanges:
    """What is different in a later manifest."""

    written: Manifest = field(default_factory=dict)
    """New paths, and those whose memento is another one now."""
    removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.written or self.removed)

    def __len__(self) -> int:
        return len(self.written) + len(self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCommit:
    """The files of a workspace at a moment; never changed once written.

    It is stored as what is different from its parent, so that it costs what was changed; now and
    then one is stored whole and has no parent, so that none has too long a chain to be read.
    """

    id: UUID
    parent_id: UUID | None
    files: int
    """How many paths there are in all."""
    size: int
    """Bytes of all files."""
    chain: int
    """Changes to be read for the whole manifest, in this commit and its ancestors."""
    created_at: datetime


SHORT_CHAIN = 1000
"""So many changes more than twice its paths make a commit's chain too long."""


def commit_after(
    parent: FileCommit | None,
    before: Manifest,
    after: Manifest,
    *,
    commit_id: UUID,
    created_at: datetime,
) -> tuple[FileCommit, FileChanges]:
    """The commit of a manifest that follows another one, with the changes that it stores.

    Args:
        parent: the commit of `before`; None when nobody has kept that.
        before: what the parent holds.
        after: what the new commit holds.
    """
    changes = changes_between(before, after) if parent else FileChanges(after)
    chain = len(changes) + (parent.chain if parent else 0)
    if chain > SHORT_CHAIN + 2 * len(after):
        parent, changes, chain = None, FileChanges(after), len(after)
    commit = FileCommit(
        id=commit_id,
        parent_id=parent.id if parent else None,
        files=len(after),
        size=size_of(after),
        chain=chain,
        created_at=created_at,
    )
    return commit, changes


def changes_between(before: Manifest, after: Manifest) -> FileChanges:
    """Find what leads from one manifest to another."""
    written = {
        path: memento
        for path, memento in after.items()
        # What a scan found unchanged is the same object, which is told sooner than an equal one.
        if (old := before.get(path)) is not memento and old != memento
    }
    return FileChanges(written, frozenset(before.keys() - after.keys()))


def size_of(manifest: Manifest) -> int:
    """The bytes of all its files."""
    return sum(memento.blob.size for memento in manifest.values() if memento.blob)
