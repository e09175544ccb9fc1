"""Processes find the blob store that their settings describe, and keep to its limit."""

from pathlib import Path

import pytest
from blob_stores import BUCKET, read_all, store_content
from kept_files import KeptFiles

from wtb_async.application.files.blob_store import StoreLimit
from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.settings import FileSettings


async def test_the_settings_say_whether_blobs_are_in_the_folder_or_in_a_bucket(
    database: Database, tmp_path: Path, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = FileSettings(folder=Path("files"))
    far = here.model_copy(
        update={"store_url": f"s3://{BUCKET}/process", "store_endpoint": s3_endpoint}
    )
    local, remote = ProcessFiles(here, database), ProcessFiles(far, database)
    monkeypatch.chdir("/")
    for files, folder in ((local, "objects"), (remote, "cache")):
        blob = await store_content(files.blobs, tmp_path, folder.encode())
        assert await read_all(files.blobs, blob) == folder.encode()
        assert (await files.blobs.local_file(blob)).is_relative_to(tmp_path / "files" / folder)
        assert [found async for found, _ in files.blobs.stored()] == [blob]
        files.close()


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
