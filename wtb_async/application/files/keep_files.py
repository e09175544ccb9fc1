"""Lets a thread that was forked in the past have the files of the present."""

from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.files.repositories import NO_CLAIMS, NewFileCommit
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.file_commit import commit_after


async def keep_files(uow: UnitOfWork, source: UUID, target: UUID, checkpoint_id: str) -> None:
    """Give the target, at its head, the newest files of the source.

    Args:
        uow: open; the caller commits.
        source: a thread.
        target: a thread whose head is the checkpoint.
        checkpoint_id: a root checkpoint.
    """
    if files := await uow.files.commit_of_head(source):
        await uow.files.link(target, checkpoint_id, files.id)
    elif await uow.files.commit_of_head(target):
        await uow.files.link(target, checkpoint_id, await _commit_of_nothing(uow))


async def _commit_of_nothing(uow: UnitOfWork) -> UUID:
    commit, changes = commit_after(None, {}, {}, commit_id=new_id(), created_at=utc_now())
    await uow.files.add_commits([NewFileCommit(commit, changes)], NO_CLAIMS)
    return commit.id
