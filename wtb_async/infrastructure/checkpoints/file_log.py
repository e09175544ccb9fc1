"""File commits on their way to their checkpoints: the links ride with the checkpoint's own commits.

Threads without files are not open here and pay nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class FileLink(NamedTuple):
    """A row of `wtb_checkpoint_files`."""

    thread_id: str
    checkpoint_id: str
    task_id: str
    commit_id: UUID


class WorkspaceRow(NamedTuple):
    """A row of `wtb_workspaces`."""

    thread_id: str
    host: str
    path: str
    removed_at: datetime | None


class FileRows(NamedTuple):
    """What one call of the saver writes of files."""

    links: Sequence[FileLink] = ()
    workspaces: Sequence[WorkspaceRow] = ()


NO_FILES = FileRows()


@dataclass(slots=True)
class ThreadFiles:
    """What is known of one thread's files: the newest, and which of them are linked already."""

    thread_id: str
    newest: UUID | None = None
    linked: UUID | None = None
    """The files of the newest checkpoint or of a task that has finished after it."""
    of_checkpoint: UUID | None = None
    """The files of the newest checkpoint itself."""
    before_checkpoint: Callable[[], Awaitable[None]] | None = None
    """Called before a root checkpoint is written; its files are those that are the newest then."""
    workspace: WorkspaceRow | None = None
    """Not written yet."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def with_checkpoint(self, checkpoint_id: str) -> AsyncIterator[FileRows]:
        """The rows that belong to a root checkpoint; leaving without error, they are written.

        One call of a thread at a time: the newest link must be the last one that is written.
        """
        if self.before_checkpoint is not None:
            await self.before_checkpoint()
        async with self._turn:
            newest, workspace = self.newest, self.workspace
            is_new = newest != self.of_checkpoint
            yield self._rows(checkpoint_id, "", newest if is_new else None, workspace)
            self.linked = self.of_checkpoint = newest
            self._forget(workspace)

    @asynccontextmanager
    async def with_task(self, checkpoint_id: str | None, task_id: str) -> AsyncIterator[FileRows]:
        """The rows that belong to what a task wrote after a root checkpoint."""
        async with self._turn:
            newest, workspace = self.newest, self.workspace
            is_new = checkpoint_id is not None and newest != self.linked
            yield self._rows(checkpoint_id or "", task_id, newest if is_new else None, workspace)
            self.linked = newest
            self._forget(workspace)

    def _rows(
        self,
        checkpoint_id: str,
        task_id: str,
        commit_id: UUID | None,
        workspace: WorkspaceRow | None,
    ) -> FileRows:
        links = [FileLink(self.thread_id, checkpoint_id, task_id, commit_id)] if commit_id else ()
        return FileRows(links, [workspace] if workspace else ())

    def _forget(self, written: WorkspaceRow | None) -> None:
        if self.workspace is written:
            self.workspace = None


class FileLog:
    """The threads that have files."""

    def __init__(self) -> None:
        self._threads: dict[str, ThreadFiles] = {}

    def open(self, thread_id: str) -> ThreadFiles:
        """Begin with what is known of a thread."""
        self._threads[thread_id] = files = ThreadFiles(thread_id)
        return files

    def of(self, thread_id: str) -> ThreadFiles | None:
        """What is known of a thread; None when it has no files."""
        return self._threads.get(thread_id)

    def close(self, thread_id: str) -> None:
        """Forget a thread."""
        self._threads.pop(thread_id, None)
