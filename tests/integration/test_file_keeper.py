"""What is kept of a workspace can be read again, whatever the store had of it before."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from arranging import change
from blob_stores import blob_of, read_all
from workspaces import RULES, FileBench, file_bench

from wtb_async.domain.file_commit import FileCommit
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.workspaces.directory import Fate, WorkspaceDirectory
from wtb_async.infrastructure.workspaces.file_keeper import FileKeeper

CONTENT = b"content"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


async def keep(
    keeper: FileKeeper, parent: FileCommit | None, directory: WorkspaceDirectory
) -> FileCommit:
    kept = await keeper.keep(parent, directory.scan)
    assert kept is not None
    scan, commit = kept
    directory.accept(scan)
    return commit


async def test_a_content_that_the_store_has_lost_is_stored_again_with_the_file_that_has_it(
    bench: FileBench, database: Database
) -> None:
    keeper = FileKeeper(database.unit_of_work, bench.blobs)
    directory = await bench.workspaces.open(uuid4(), {}, RULES)
    (directory.path / "first").write_bytes(CONTENT)
    commit = await keep(keeper, None, directory)

    blob = blob_of(CONTENT)
    await bench.blobs.delete([blob.sha256])
    await change(database, "UPDATE wtb_file_blobs SET stored_at = NULL")
    (directory.path / "first").rename(directory.path / "second")
    await keep(keeper, commit, directory)

    assert await read_all(bench.blobs, blob) == CONTENT
    await directory.close(Fate.REMOVE)
