"""File commits and what they refer to, in a few statements over arrays."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.files.repositories import BlobClaims, NewFileCommit
from wtb_async.domain.errors import NotFound
from wtb_async.domain.file_commit import Blob, FileCommit, FileKind, FileMemento, Manifest
from wtb_async.infrastructure.postgres import file_statements as statements
from wtb_async.infrastructure.postgres.blob_claims import claim_blobs, confirm_blobs

_COMMIT_WIDTH = 6
_MEMENTO_WIDTH = 7


class PostgresFileRepository:
    """Statements on `wtb_file_commits`, `wtb_file_mementos` and `wtb_checkpoint_files`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim_blobs(self, blobs: Collection[Blob]) -> BlobClaims:
        """Protect blobs from the garbage collection for its grace period."""
        return await claim_blobs(self._session, blobs)

    async def add_commits(self, commits: Sequence[NewFileCommit], claims: BlobClaims) -> None:
        """Keep commits with their changes. Raises ClaimsLost."""
        await confirm_blobs(self._session, claims)
        kept = [_commit_row(new.commit) for new in commits]
        changes = [row for new in commits for row in _memento_rows(new)]
        columns = [*_columns(kept, _COMMIT_WIDTH), *_columns(changes, _MEMENTO_WIDTH)]
        await self._execute(statements.ADD_COMMITS, *columns)

    async def manifest(self, commit_id: UUID) -> Manifest:
        """All paths of a commit, sorted. Raises NotFound."""
        rows = (await self._execute(statements.MANIFEST, commit_id)).mappings().all()
        if not rows:
            raise NotFound("file commit", commit_id)
        return {row["path"]: memento_of(row) for row in rows if row["path"] is not None}

    async def commit_at(self, thread_id: UUID, checkpoint_id: str) -> FileCommit | None:
        """The files at a root checkpoint; None when there were none yet."""
        return _commit(await self._execute(statements.COMMIT_AT, thread_id, checkpoint_id))

    async def commit_of_head(self, thread_id: UUID) -> FileCommit | None:
        """The newest files of a thread, with those of tasks that finished after its head."""
        return _commit(await self._execute(statements.COMMIT_OF_HEAD, thread_id))

    async def link(self, thread_id: UUID, checkpoint_id: str, commit_id: UUID) -> None:
        """Let the files at a root checkpoint be those of this commit, whatever they were."""
        await self._execute(statements.LINK, thread_id, checkpoint_id, commit_id)

    async def _execute(self, statement: str, *parameters: object) -> CursorResult[Any]:
        connection = await self._session.connection()
        return await connection.exec_driver_sql(statement, parameters)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(width)]


def _commit_row(commit: FileCommit) -> tuple[Any, ...]:
    return (
        commit.id,
        commit.parent_id,
        commit.files,
        commit.size,
        commit.chain,
        commit.created_at,
    )


def _memento_rows(new: NewFileCommit) -> Iterator[tuple[Any, ...]]:
    for path, memento in new.changes.written.items():
        sha256 = memento.blob.sha256 if memento.blob else None
        values = (memento.kind.value, sha256, memento.target, memento.mode, memento.mtime_ns)
        yield new.commit.id, path, *values
    for path in new.changes.removed:
        yield new.commit.id, path, None, None, None, None, None


def memento_of(row: RowMapping) -> FileMemento:
    """The memento of a row with its columns, and the size of its blob."""
    return FileMemento(
        kind=FileKind(row["kind"]),
        mode=row["mode"],
        mtime_ns=row["mtime_ns"],
        blob=Blob(row["sha256"], row["size"]) if row["sha256"] else None,
        target=row["target"],
    )


def _commit(rows: CursorResult[Any]) -> FileCommit | None:
    row = rows.mappings().first()
    return None if row is None else FileCommit(**row)
