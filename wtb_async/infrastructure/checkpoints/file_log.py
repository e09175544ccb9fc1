"""File commits on their way to their checkpoints: the links ride with the checkpoint's own commits.

Threads without files are not open here and pay nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID


class FileLink(NamedTuple):
    """A row of `wtb_checkpoint_files`."""

    thread_id: str
    checkpoint_id: str
    task_id: str
    commit_id: UUID


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
    before_inner: Callable[[], Awaitable[None]] | None = None
    """Called before what a graph within a node has achieved is written."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def with_checkpoint(self, checkpoint_id: str) -> AsyncIterator[Sequence[FileLink]]:
        """The link of a root checkpoint, if it needs one; leaving without error, it is written.

        One call of a thread at a time: the newest link must be the last one that is written.
        """
        if self.before_checkpoint is not None:
            await self.before_checkpoint()
        async with self._turn:
            newest = self.newest
            yield self._links(checkpoint_id, "", newest if newest != self.of_checkpoint else None)
            self.linked = self.of_checkpoint = newest

    @asynccontextmanager
    async def with_inner(
        self, checkpoint_id: str | None, task_id: str
    ) -> AsyncIterator[Sequence[FileLink]]:
        """The link of what a graph within a node wrote after a root checkpoint.

        Its nodes count from then on, so the files that they have left are kept before.
        """
        if self.before_inner is not None:
            await self.before_inner()
        async with self.with_task(checkpoint_id, task_id) as links:
            yield links

    @asynccontextmanager
    async def with_task(
        self, checkpoint_id: str | None, task_id: str
    ) -> AsyncIterator[Sequence[FileLink]]:
        """The link of what a task wrote after a root checkpoint, if there are new files."""
        if checkpoint_id is None or self.newest == self.linked:
            yield ()
            return
        async with self._turn:
            newest = self.newest
            yield self._links(checkpoint_id, task_id, newest if newest != self.linked else None)
            self.linked = newest

    def _links(
        self, checkpoint_id: str, task_id: str, commit_id: UUID | None
    ) -> Sequence[FileLink]:
        if commit_id is None:
            return ()
        return (FileLink(self.thread_id, checkpoint_id, task_id, commit_id),)


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
