"""What a scan of a workspace found."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wtb_async.domain.file_commit import FileChanges, Manifest, changes_between
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex


@dataclass(frozen=True)
class Scan:
    """A workspace that is not as it was at the last accepted scan."""

    root: Path
    before: Manifest
    index: WorkspaceIndex

    @property
    def manifest(self) -> Manifest:
        """All paths as they are now."""
        return self.index.manifest

    @cached_property
    def changes(self) -> FileChanges:
        """What is different from the last accepted manifest."""
        return changes_between(self.before, self.manifest)
