"""What the database says of the files of threads."""

from pathlib import Path
from uuid import UUID

from arranging import select

from wtb_async.domain.file_commit import Manifest
from wtb_async.infrastructure.postgres.database import Database


async def files_of(database: Database, thread: UUID) -> Manifest | None:
    """The newest of a thread; None when it has none."""
    async with database.unit_of_work() as uow:
        commit = await uow.files.commit_of_head(thread)
        return await uow.files.manifest(commit.id) if commit else None


async def files_at(database: Database, thread: UUID, checkpoint_id: str) -> Manifest | None:
    """Those at a root checkpoint; None when there are none yet."""
    async with database.unit_of_work() as uow:
        commit = await uow.files.commit_at(thread, checkpoint_id)
        return await uow.files.manifest(commit.id) if commit else None


async def count(database: Database, table: str) -> int:
    """The rows of a table."""
    [row] = await select(database, f"SELECT count(*) AS count FROM {table}")  # noqa: S608 - ours
    found: int = row["count"]
    return found


def left_in(folder: Path) -> dict[str, str]:
    """The files of the one workspace that is left on disk, by name."""
    [files] = folder.glob("workspaces/*/files")
    return {file.name: file.read_text() for file in files.iterdir()}
