"""What reading files needs, and the moments at which they can be read."""

from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass
from typing import Protocol, TypeVar, TypeVarTuple
from uuid import UUID

from wtb_async.application.cursors import read_place
from wtb_async.application.executions.repositories import Timelines
from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.domain.file_commit import FileMemento
from wtb_async.domain.file_difference import FileDifference
from wtb_async.domain.storable_json import check_storable

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Threads(Protocol):
    """Where work is done that would hold up an event loop."""

    async def run(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Do this in a thread."""


class CommittedFiles(Protocol):
    """Reads commits by paths, in order and bit by bit; they never change."""

    def walk(
        self, commit_id: UUID | None, *, prefix: str = "", after: str = "", at_once: int = 1000
    ) -> AsyncGenerator[tuple[str, FileMemento]]:
        """The paths of a commit that begin with a text and follow another one.

        No commit has no paths; `at_once` of them are read together.
        """

    def differences(
        self,
        before_id: UUID | None,
        after_id: UUID | None,
        *,
        paths: Collection[str] = (),
        after: str = "",
        at_once: int = 1000,
    ) -> AsyncGenerator[FileDifference]:
        """What differs between two commits, of which None is one without files.

        It costs what differs, as long as one has come from the other.

        Args:
            before_id: the earlier one.
            after_id: the later one.
            paths: look at these only, and at what is below them.
            after: begin behind this path.
            at_once: how many to read at once.
        """


@dataclass(frozen=True, slots=True)
class FileSources:
    """Where files are read from."""

    uow_factory: UnitOfWorkFactory
    timelines: Callable[[], Timelines]
    """Made when it is asked for."""
    committed: CommittedFiles
    blobs: BlobStore
    threads: Threads


@dataclass(frozen=True, slots=True)
class FilesAt:
    """The files of an execution at a root checkpoint of its timeline; None is its head."""

    execution_id: UUID
    checkpoint_id: UUID | None = None


async def find_commit(place: FilesAt, sources: FileSources) -> UUID | None:
    """The commit at a moment; None when there were no files. Raises NotFound."""
    async with sources.uow_factory() as uow:
        execution, _ = await uow.executions.get(place.execution_id)
        if place.checkpoint_id is None:
            commit = await uow.files.commit_of_head(execution.thread_id)
            return commit.id if commit else None
    # Looked for with no connection held; it may lie on a thread from before a rollback.
    checkpoint = await sources.timelines().checkpoint(execution.thread_id, place.checkpoint_id)
    async with sources.uow_factory() as uow:
        commit = await uow.files.commit_at(checkpoint.thread_id, checkpoint.checkpoint_id)
        return commit.id if commit else None


def path_of_cursor(cursor: str | None) -> str:
    """The path behind which a page begins. Raises InvalidInput."""
    path = "" if cursor is None else read_place(cursor, lambda place: place.decode("utf-8"))
    check_storable(path, 1, "cursor")
    return path
