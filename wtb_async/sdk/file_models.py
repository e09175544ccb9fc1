"""What the REST API answers about files, as types."""

from datetime import datetime

from wtb_async.domain.file_commit import FileKind
from wtb_async.domain.file_difference import FileChange
from wtb_async.sdk.models import Answer


class File(Answer):
    """One path of a workspace as it was at a moment.

    Attributes:
        path: relative to the workspace.
        kind: a file, a symbolic link, or an empty directory.
        size: bytes of a file.
        mode: its permission bits.
        modified_at: when it was written.
        sha256: of a file's content.
        target: of a symbolic link.
    """

    path: str
    kind: FileKind
    size: int | None = None
    mode: int
    modified_at: datetime
    sha256: str | None = None
    target: str | None = None


class FileDifference(Answer):
    """A path that differs between two moments; `diff` is the unified diff of two texts."""

    path: str
    change: FileChange
    before: File | None = None
    after: File | None = None
    diff: str | None = None
