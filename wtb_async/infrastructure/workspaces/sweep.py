"""The directories of this machine's workspaces, as a sweep sees them."""

import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from wtb_async.application.files.sweep_workspaces import FoundWorkspace
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.workspaces.lock import DirectoryLock, WorkspaceInUse
from wtb_async.infrastructure.workspaces.removal import REMOVED, discard, remove_tree
from wtb_async.infrastructure.workspaces.stored import FILES, KEPT, LASTING, remove_leftovers

_REMOVAL_SECONDS = 3600.0
"""A directory that has been under removal for so long is no longer being removed."""


class SweptWorkspaces:
    """Finds and removes workspaces; those in which a process works are locked, and stay."""

    def __init__(self, folder: Path, threads: FileThreads) -> None:
        """Look below `folder`, which is that of all files of this machine."""
        self._folder = folder.absolute() / "workspaces"
        self._threads = threads

    async def found(self) -> Mapping[UUID, FoundWorkspace] | None:
        """All directories, by thread."""
        return await self._threads.run(self._find)

    async def remove(self, thread_ids: Collection[UUID]) -> set[UUID]:
        """Remove directories nobody works in, and what crashes have left of others."""
        await self._threads.run(self._remove_leftovers)
        removed = await self._threads.map(self._remove, thread_ids)
        return {thread_id for thread_id, gone in zip(thread_ids, removed, strict=True) if gone}

    def _find(self) -> dict[UUID, FoundWorkspace] | None:
        if not self._folder.is_dir():
            return None
        folders = {thread_id: item for item in self._folder.iterdir() if (thread_id := _id(item))}
        return {
            thread_id: FoundWorkspace(str(item / FILES), kept=(item / KEPT).exists())
            for thread_id, item in folders.items()
        }

    def _remove(self, thread_id: UUID) -> bool:
        folder = self._folder / str(thread_id)
        try:
            lock = DirectoryLock.take(folder)
        except WorkspaceInUse:
            return False
        try:
            discard(folder)
        finally:
            lock.release()
        return True

    def _remove_leftovers(self) -> None:
        for item in self._folder.iterdir():
            # Its owner, or another sweep, may be removing it.
            with suppress(FileNotFoundError):
                if item.name.startswith(REMOVED):
                    _finish_removal(item)
                elif _id(item) and {found.name for found in item.iterdir()} - LASTING:
                    _tidy(item)


def _id(folder: Path) -> UUID | None:
    try:
        return UUID(folder.name)
    except ValueError:
        return None


def _finish_removal(folder: Path) -> None:
    if folder.stat().st_ctime < time.time() - _REMOVAL_SECONDS:
        remove_tree(folder)


def _tidy(folder: Path) -> None:
    try:
        lock = DirectoryLock.take(folder)
    except WorkspaceInUse:
        return  # Its owner is at work on a copy.
    try:
        remove_leftovers(folder)
    finally:
        lock.release()
