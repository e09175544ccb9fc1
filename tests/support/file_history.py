"""Manifests and file commits for tests."""

from hashlib import sha256
from uuid import UUID

from factories import NOW

from wtb_async.application.files.repositories import NewFileCommit
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.file_commit import (
    Blob,
    FileCommit,
    FileKind,
    FileMemento,
    Manifest,
    commit_after,
)


def blob_of(content: str) -> Blob:
    data = content.encode()
    return Blob(sha256(data).hexdigest(), len(data))


def file_of(content: str, *, mode: int = 0o644) -> FileMemento:
    """A file with this content, as it was at no special time."""
    return FileMemento(kind=FileKind.FILE, mode=mode, mtime_ns=5, blob=blob_of(content))


def manifest_of(**contents: str) -> Manifest:
    """Files by name."""
    return {name: file_of(content) for name, content in contents.items()}


def next_commit(parent: FileCommit | None, before: Manifest, after: Manifest) -> NewFileCommit:
    return NewFileCommit(*commit_after(parent, before, after, commit_id=new_id(), created_at=NOW))


async def keep_manifests(uow: UnitOfWork, *manifests: Manifest) -> list[UUID]:
    """Commit manifests, each after the one before, as if their blobs were in the store."""
    before: Manifest = {}
    parent: FileCommit | None = None
    made: list[NewFileCommit] = []
    for manifest in manifests:
        made.append(next_commit(parent, before, manifest))
        parent, before = made[-1].commit, manifest
    blobs = {memento.blob for manifest in manifests for memento in manifest.values()}
    async with uow:
        claims = await uow.files.claim_blobs([blob for blob in blobs if blob])
        await uow.files.add_commits(made, claims)
        await uow.commit()
    return [new.commit.id for new in made]
