"""Commits of source folders, which workspaces begin with."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from wtb_async.domain.file_commit import FileCommit, Manifest
from wtb_async.infrastructure.workspaces.file_keeper import FileKeeper
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.scan import Scan
from wtb_async.infrastructure.workspaces.sources import SourceFolders


@dataclass(frozen=True, slots=True)
class _Kept:
    manifest: Manifest
    commit: FileCommit
    until: float

    def holds(self, manifest: Manifest) -> bool:
        """Whether this is the same; that of an unchanged folder is the very same object."""
        return self.manifest is manifest or self.manifest == manifest


class SourceCommits:
    """Keeps each content of a source folder once, however many runs begin with it.

    Args:
        folders: reads them.
        keeper: commits what is new.
        remember_seconds: how long a commit is given to further runs. One that no thread has any
            more may be collected after the grace period of the garbage collection.
    """

    def __init__(
        self, folders: SourceFolders, keeper: FileKeeper, *, remember_seconds: float
    ) -> None:
        self._folders = folders
        self._keeper = keeper
        self._remember_seconds = remember_seconds
        self._kept: dict[tuple[Path, WorkspaceRules], _Kept] = {}
        self._turns: dict[tuple[Path, WorkspaceRules], asyncio.Lock] = {}

    async def get(self, source: Path, rules: WorkspaceRules) -> tuple[FileCommit, Manifest]:
        """The commit of what a folder holds now, and all its paths.

        Raises:
            NotFound: there is no such folder.
            WtbError: it cannot be kept: what the scan and `FileKeeper.keep` raise.
        """
        key = (source, rules)
        scan = await self._folders.read(source, rules)
        async with self._turns.setdefault(key, asyncio.Lock()):
            kept = self._kept.get(key)
            if kept is None or not kept.holds(scan.manifest) or kept.until < monotonic():
                kept = self._kept[key] = await self._keep(scan, source, rules)
            return kept.commit, kept.manifest

    async def _keep(self, scan: Scan, source: Path, rules: WorkspaceRules) -> _Kept:
        kept = await self._keeper.keep(None, _first(scan, self._folders, source, rules))
        assert kept is not None  # noqa: S101 - a scan of a source always answers
        found, commit = kept
        return _Kept(found.manifest, commit, monotonic() + self._remember_seconds)


def _first(
    scan: Scan, folders: SourceFolders, source: Path, rules: WorkspaceRules
) -> Callable[[], Awaitable[Scan]]:
    """Answers this scan the first time, and newer ones when the folder changes under it."""
    scans = [scan]

    async def read() -> Scan:
        return scans.pop() if scans else await folders.read(source, rules)

    return read
