"""What there is of one workspace on disk."""

import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from wtb_async.domain.errors import WtbError
from wtb_async.domain.file_commit import Blob, Manifest
from wtb_async.domain.file_limits import UnsupportedFile
from wtb_async.infrastructure.workspaces.clock import ClockReader
from wtb_async.infrastructure.workspaces.fill import Filling, index_filled
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex
from wtb_async.infrastructure.workspaces.linking import Linking
from wtb_async.infrastructure.workspaces.opening import DIRECTORY
from wtb_async.infrastructure.workspaces.removal import discard, remove_tree
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.walk import Walk

KEPT = "kept"
"""The file that says that a workspace outlives its execution."""
FILES = "files"
INDEX = "index"
LASTING = {FILES, "lock", INDEX, KEPT}
"""What a folder holds when no process has ended in the middle of something."""


class StoredWorkspace:
    """What there is of a workspace on disk; the caller holds its lock and does not mind waiting.

    `files` is the workspace itself. `fresh` and `former` exist while another one takes its place:
    a crash leaves the workspace of before, the new one, or neither, and the next to come fills it
    again.
    """

    def __init__(self, folder: Path, rules: WorkspaceRules, clock: ClockReader) -> None:
        self._folder = folder
        self.files = folder / FILES
        self._fresh = folder / "fresh"
        self._former = folder / "former"
        self._index_file = folder / INDEX
        self._rules = rules
        self._clock = clock

    def index_if_it_holds(self, manifest: Manifest) -> WorkspaceIndex | None:
        """Look through the directory if it holds exactly this; None if it does not."""
        known = WorkspaceIndex.load(self._index_file, self._rules.ignore)
        if known is None:
            return None
        try:
            found = self.look(known)
        except (WtbError, OSError):
            return None  # What a node left there that cannot be kept is no part of any manifest.
        return found if found.manifest == manifest else None

    def still_is(self, known: WorkspaceIndex) -> bool:
        """Whether nothing was changed since a look at it; False also when in doubt."""
        root = self._open()
        try:
            return known.holds(root)
        finally:
            os.close(root)

    def look(self, known: WorkspaceIndex) -> WorkspaceIndex:
        """Read what is not as it is known to be.

        Raises:
            UnsafePath, UnsupportedFile, TooManyFiles, FileTooLarge, WorkspaceTooLarge,
            CaseCollision: something in it cannot be kept.
        """
        root = self._open()
        try:
            if known.holds(root):
                return known
            return Walk(known, self._rules, self._clock.read()).through(root)
        finally:
            os.close(root)

    def replace(
        self, manifest: Manifest, sources: Mapping[Blob, Path], linking: Linking
    ) -> WorkspaceIndex:
        """Put a fresh directory with these files in place of whatever is there."""
        self._index_file.unlink(missing_ok=True)
        remove_leftovers(self._folder)
        if self._rules.keep_when_ended:
            (self._folder / KEPT).touch()
        filling = Filling(linking, self._rules.copies)
        linked = filling.fill(self._fresh, manifest, sources)
        if os.path.lexists(self.files):
            self.files.rename(self._former)
        self._fresh.rename(self.files)
        index = index_filled(self.files, manifest, linked, self._clock.read())
        self.save(index)
        remove_tree(self._former)
        return index

    def has_only_files(self, most: int) -> bool:
        """Whether there are no directories in the workspace, and at most so many files."""
        try:
            with os.scandir(self.files) as found:
                entries = list(islice(found, most + 1))
        except OSError:
            return False
        return len(entries) <= most and not any(
            entry.is_dir(follow_symlinks=False) for entry in entries
        )

    def save(self, index: WorkspaceIndex) -> None:
        """Remember what the directory held, for the next to open it."""
        index.save(self._index_file, self._rules.ignore)

    def remove(self) -> None:
        """Remove all of it."""
        discard(self._folder)

    def _open(self) -> int:
        """The workspace itself. Raises UnsupportedFile when a node has removed it."""
        try:
            return os.open(self.files, DIRECTORY)
        except OSError as error:
            raise UnsupportedFile(".", "the workspace itself was removed or replaced") from error


def remove_leftovers(folder: Path) -> None:
    """Remove what was being made when a process ended; the caller holds the lock."""
    for item in folder.iterdir():
        if item.name not in LASTING:
            remove_tree(item)
