"""What counts as a file of a workspace, and what must be its own from the beginning."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pathspec import GitIgnoreSpec

from wtb_async.domain.file_limits import FileLimits

Matches = Callable[[str], bool]


def _nothing(_: str) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class WorkspaceRules:
    """How the workspaces of a workflow are kept; patterns are those of `.gitignore`."""

    limits: FileLimits
    ignore: tuple[str, ...] = ()
    """Paths that are no part of snapshots; a directory among them is not even entered."""
    copy: tuple[str, ...] = ()
    """Paths that are copied instead of linked: for what writes to them without Python."""

    @cached_property
    def ignores(self) -> Matches:
        """Whether a path is ignored; a directory is asked for with `/` at its end."""
        return _matching(self.ignore)

    @cached_property
    def copies(self) -> Matches:
        """Whether a file must not be a link."""
        return _matching(self.copy)


def _matching(patterns: tuple[str, ...]) -> Matches:
    return GitIgnoreSpec.from_lines(patterns).match_file if patterns else _nothing
