"""The limit of the settings holds for what processes store."""

from pathlib import Path

import pytest
from blob_stores import store_content
from kept_files import KeptFiles

from wtb_async.application.files.blob_store import StoreLimit
from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.settings import FileSettings


async def test_a_store_that_is_as_large_as_it_may_be_takes_nothing_more(
    database: Database, tmp_path: Path
) -> None:
    settings = FileSettings(folder=tmp_path / "files", max_store_bytes=10)
    first, second = ProcessFiles(settings, database), ProcessFiles(settings, database)
    await KeptFiles(database, first.blobs, tmp_path).keep(b"1234567")
    with pytest.raises(StoreLimit, match="7 are stored"):
        await store_content(second.blobs, tmp_path, b"8901")
    await store_content(second.blobs, tmp_path, b"890")
    assert len([blob async for blob in second.blobs.stored()]) == 2
    first.close()
    second.close()
