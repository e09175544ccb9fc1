"""What the database keeps of files."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from wtb_async.domain.file_commit import Blob, FileChanges, FileCommit, Manifest


@dataclass(frozen=True, slots=True)
class NewFileCommit:
    """A commit with what it stores; the blobs of its files are in the blob store."""

    commit: FileCommit
    changes: FileChanges


class FileRepository(Protocol):
    """File commits, the checkpoints they belong to, and the blobs they refer to."""

    async def claim_blobs(self, blobs: Collection[Blob]) -> set[str]:
        """Protect blobs from the garbage collection for its grace period.

        Answers which of them are not in the store yet: the caller puts them there and only then
        adds a commit that refers to them.
        """

    async def add_commits(self, commits: Sequence[NewFileCommit]) -> None:
        """Keep commits; the blobs that they refer to were claimed and are in the store."""

    async def manifest(self, commit_id: UUID) -> Manifest:
        """All paths of a commit. Raises NotFound."""

    async def commit_at(self, thread_id: UUID, checkpoint_id: str) -> FileCommit | None:
        """The files at a root checkpoint; None when there were none yet."""

    async def commit_of_head(self, thread_id: UUID) -> FileCommit | None:
        """The newest files of a thread, with those of tasks that finished after its head."""

    async def link(self, thread_id: UUID, checkpoint_id: str, commit_id: UUID) -> None:
        """Let the files at a root checkpoint be those of this commit, whatever they were."""

    async def drop_unreferenced_commits(self, older_than: datetime, limit: int) -> int:
        """Delete commits that no checkpoint leads to; answers how many."""

    async def lock_garbage(self, unused_since: datetime, limit: int) -> list[Blob]:
        """Delete the rows of blobs that nothing refers to; their locks last until the commit.

        The caller deletes them from the store before it commits: whoever claims one of them
        meanwhile waits, and puts it into the store again.
        """
