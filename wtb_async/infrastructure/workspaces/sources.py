"""Source folders: what workspaces begin with, read like workspaces and never written to."""

import hashlib
import os
import time
from functools import partial
from pathlib import Path

from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.workspaces.clock import FileClock
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex
from wtb_async.infrastructure.workspaces.joining import JoinedWork
from wtb_async.infrastructure.workspaces.opening import DIRECTORY
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.scan import Scan
from wtb_async.infrastructure.workspaces.walk import Walk

_IN_DOUBT_NS = 2_000_000_000
"""What was changed in the last two seconds is read again: a source's clock cannot be asked."""


class SourceFolders:
    """Reads the source folders of this machine's workflows, each file once per change."""

    def __init__(self, folder: Path, threads: FileThreads) -> None:
        """Remember what was read below `folder`, which is that of all files of this machine."""
        self._folder = folder.absolute() / "sources"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._threads = threads
        self._readings: dict[tuple[Path, WorkspaceRules], JoinedWork[Scan]] = {}
        self._known: dict[Path, WorkspaceIndex] = {}

    async def read(self, source: Path, rules: WorkspaceRules) -> Scan:
        """All that a folder holds; runs that begin together share one look at it.

        The scan is one of a workspace that was empty before. When nothing was changed, its
        manifest is the very object that the last one had.

        Raises:
            NotFound: there is no such folder.
            UnsafePath, UnsupportedFile, TooManyFiles, FileTooLarge, WorkspaceTooLarge,
            CaseCollision: something in it cannot be kept.
        """
        key = (source, rules)
        if key not in self._readings:
            look = partial(self._threads.run, self._read, source, rules)
            self._readings[key] = JoinedWork(look)
        return await self._readings[key].result()

    def _read(self, source: Path, rules: WorkspaceRules) -> Scan:
        file = self._folder / _digest(source, rules)
        known = self._known.get(file)
        if known is None:
            known = WorkspaceIndex.load(file, rules.ignore) or WorkspaceIndex()
        found = _look(source, rules, known)
        if found is not known:
            found.save(file, rules.ignore)
        self._known[file] = found
        return Scan(source, {}, found)


def _look(source: Path, rules: WorkspaceRules, known: WorkspaceIndex) -> WorkspaceIndex:
    try:
        root = os.open(source, DIRECTORY)
    except OSError as error:
        raise NotFound("source folder", source) from error
    try:
        if known.holds(root):
            return known
        clock = FileClock(time.time_ns() - _IN_DOUBT_NS)
        return Walk(known, rules, clock, is_source=True).through(root)
    finally:
        os.close(root)


def _digest(source: Path, rules: WorkspaceRules) -> str:
    """A file name for what is known of a folder, read with these patterns."""
    return hashlib.sha256("\0".join((str(source), *rules.ignore)).encode()).hexdigest()
