"""How many files a workspace may hold, how large, and of which kinds."""

from dataclasses import dataclass

from wtb_async.domain.errors import WtbError
from wtb_async.domain.file_path import shown_path


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """Bounds of one workspace; what goes beyond them fails the node that wrote it."""

    max_files: int
    """Paths, with symbolic links and empty directories."""
    max_file_bytes: int
    max_workspace_bytes: int
    """Of all files together."""


class TooManyFiles(WtbError):
    """A workspace holds more paths than it may."""

    code = "too_many_files"

    def __init__(self, path: str, limit: int) -> None:
        super().__init__(f"{shown_path(path)} is one file too many: a workspace holds {limit}")


class FileTooLarge(WtbError):
    """A file is larger than one may be."""

    code = "file_too_large"

    def __init__(self, path: str, size: int, limit: int) -> None:
        super().__init__(f"{shown_path(path)} has {size} bytes; a file has {limit} at most")


class WorkspaceTooLarge(WtbError):
    """The files of a workspace are together larger than they may be."""

    code = "workspace_too_large"

    def __init__(self, path: str, limit: int) -> None:
        super().__init__(f"with {shown_path(path)} the workspace has more than {limit} bytes")


class UnsupportedFile(WtbError):
    """Something in a workspace that cannot be kept and made again elsewhere."""

    code = "unsupported_file"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{shown_path(path)} cannot be kept: {reason}")


class CaseCollision(WtbError):
    """Two paths are one on file systems that do not tell upper from lower case."""

    code = "case_collision"

    def __init__(self, path: str) -> None:
        super().__init__(f"{shown_path(path)} differs from another path by its case only")
