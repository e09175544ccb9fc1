"""What the database keeps of files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from wtb_async.domain.errors import TransientError
from wtb_async.domain.file_commit import Blob, FileChanges, FileCommit, Manifest


@dataclass(frozen=True, slots=True)
class NewFileCommit:
    """A commit with what it stores; the blobs of its files are in the blob store."""

    commit: FileCommit
    changes: FileChanges


@dataclass(frozen=True, slots=True)
class BlobClaims:
    """Blobs that the garbage collection leaves alone for its grace period."""

    numbers: Mapping[str, int]
    """By hash, the row that was claimed: a blob that was collected since has another one."""
    missing: frozenset[str]
    """Those that are not in the store yet."""


NO_CLAIMS = BlobClaims({}, frozenset())
"""Of commits that refer to no blob."""


class ClaimsLost(TransientError):
    """A blob was collected after it was claimed, so it may be missing: claim and store again."""

    code = "claims_lost"

    def __init__(self) -> None:
        super().__init__("files were collected as garbage while they were being stored; try again")


class FileRepository(Protocol):
    """File commits, the checkpoints they belong to, and the blobs they refer to."""

    async def claim_blobs(self, blobs: Collection[Blob]) -> BlobClaims:
        """Protect blobs from the garbage collection for its grace period.

        The caller puts the missing ones into the store and only then adds a commit.
        """

    async def add_commits(self, commits: Sequence[NewFileCommit], claims: BlobClaims) -> None:
        """Keep commits; all blobs that they refer to are among the claims and in the store.

        Raises ClaimsLost when one of them was collected in between; nothing was added then.
        """

    async def manifest(self, commit_id: UUID) -> Manifest:
        """All paths of a commit. Raises NotFound."""

    async def commit_at(self, thread_id: UUID, checkpoint_id: str) -> FileCommit | None:
        """The files at a root checkpoint; None when there were none yet."""

    async def commit_of_head(self, thread_id: UUID) -> FileCommit | None:
        """The newest files of a thread, with those of tasks that finished after its head."""

    async def link(self, thread_id: UUID, checkpoint_id: str, commit_id: UUID) -> None:
        """Let the files at a root checkpoint be those of this commit, whatever they were."""
