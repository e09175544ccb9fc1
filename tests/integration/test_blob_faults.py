"""What goes wrong with disks, buckets and their contents, and what is left of it."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
from blob_stores import read_all, store_content, write_file
from obstore.store import LocalStore, S3Store

from wtb_async.application.files.blob_store import (
    BlobAltered,
    BlobMissing,
    BlobStore,
    StoreFull,
)
from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.local_blob_store import LocalBlobStore
from wtb_async.infrastructure.files.object_key import object_key
from wtb_async.infrastructure.files.s3_blob_store import S3BlobStore
from wtb_async.infrastructure.files.s3_connection import connect_s3

MIB = 1 << 20


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond this; a full disk looks the same to who writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_a_clean_failure_without_half_a_blob(
    tmp_path: Path, file_threads: FileThreads
) -> None:
    blobs = LocalBlobStore(tmp_path / "store", file_threads)
    file, blob = write_file(tmp_path, bytes(3 * MIB))
    with room_for(MIB), pytest.raises(StoreFull, match="no room"):
        await blobs.put(file, blob)
    assert files_in(tmp_path / "store") == []
    await blobs.put(file, blob)
    assert await read_all(blobs, blob) == bytes(3 * MIB)


@pytest.mark.parametrize("raw_store", ["s3"], indirect=True)
async def test_a_full_disk_leaves_no_half_copy_of_what_is_in_a_bucket(
    blobs: BlobStore, tmp_path: Path
) -> None:
    blob = await store_content(blobs, tmp_path, bytes(3 * MIB))
    with room_for(MIB), pytest.raises(StoreFull, match="no room"):
        await blobs.local_file(blob)
    assert files_in(tmp_path / "store") == []
    assert (await blobs.local_file(blob)).read_bytes() == bytes(3 * MIB)


async def test_a_folder_that_cannot_be_is_a_store_that_is_away(
    tmp_path: Path, file_threads: FileThreads
) -> None:
    file, blob = write_file(tmp_path, b"content")
    blobs = LocalBlobStore(file / "store", file_threads)
    for call in (
        blobs.put(file, blob),
        blobs.local_file(blob),
        blobs.delete([blob.sha256]),
        anext(blobs.stored()),
    ):
        with pytest.raises(TransientError, match="Not a directory"):
            await call
    with pytest.raises(TransientError, match="Not a directory"):
        await read_all(blobs, blob)


async def test_a_bucket_that_is_away_is_told_from_a_blob_that_is_missing(
    tmp_path: Path, file_threads: FileThreads, s3_endpoint: str
) -> None:
    del s3_endpoint  # It sets the keys.
    nobody = f"http://127.0.0.1:{free_port()}"
    store = connect_s3("s3://bucket", nobody, patience=timedelta(milliseconds=1))
    blobs = S3BlobStore(store, tmp_path / "cache", file_threads)
    small, large = write_file(tmp_path, b"small"), write_file(tmp_path, bytes(9 * MIB))
    for call in (
        blobs.put(*small),
        blobs.put(*large),
        read_all(blobs, small[1]),
        blobs.local_file(small[1]),
        blobs.delete([small[1].sha256]),
        anext(blobs.stored()),
    ):
        with pytest.raises(TransientError, match="does not answer"):
            await call


@pytest.mark.parametrize(
    "altered", [b"Content", b"conten", b"", b"contents"], ids=["a bit", "cut", "emptied", "longer"]
)
async def test_an_altered_blob_is_not_given_out_and_healed_by_storing_it_again(
    blobs: BlobStore, raw_store: LocalStore | S3Store, tmp_path: Path, altered: bytes
) -> None:
    blob = await store_content(blobs, tmp_path, b"content")
    obstore.put(raw_store, object_key(blob.sha256), altered)
    if not altered.startswith(b"content"):  # What follows the content does not harm it.
        with pytest.raises(BlobAltered, match=blob.sha256):
            await read_all(blobs, blob)
        with pytest.raises(BlobAltered, match=blob.sha256):
            await blobs.local_file(blob)
    await store_content(blobs, tmp_path, b"content")
    assert await read_all(blobs, blob) == b"content"
    assert (await blobs.local_file(blob)).read_bytes() == b"content"


async def test_a_bit_that_flips_late_in_a_large_blob_is_noticed_before_its_last_piece(
    blobs: BlobStore, raw_store: LocalStore | S3Store, tmp_path: Path
) -> None:
    blob = await store_content(blobs, tmp_path, bytes(9 * MIB))
    obstore.put(raw_store, object_key(blob.sha256), bytes(9 * MIB - 1) + b"\1")
    pieces = blobs.read(blob)
    assert len(await anext(pieces)) + len(await anext(pieces)) == 8 * MIB
    with pytest.raises(BlobAltered):
        await anext(pieces)


async def test_a_range_that_is_cut_off_is_an_altered_blob(
    blobs: BlobStore, raw_store: LocalStore | S3Store, tmp_path: Path
) -> None:
    blob = await store_content(blobs, tmp_path, b"0123456789")
    obstore.put(raw_store, object_key(blob.sha256), b"01234")
    for start in (3, 7):
        with pytest.raises(BlobAltered):
            _ = [piece async for piece in blobs.read(blob, start=start, end=9)]


async def test_an_altered_copy_of_a_blob_in_a_bucket_is_fetched_again(
    blobs: BlobStore, tmp_path: Path
) -> None:
    blob = await store_content(blobs, tmp_path, b"content")
    copy = await blobs.local_file(blob)
    if isinstance(blobs, LocalBlobStore):
        copy.unlink()
        with pytest.raises(BlobMissing):
            await blobs.local_file(blob)
        return
    copy.chmod(0o644)
    copy.write_bytes(b"Content")
    assert (await blobs.local_file(blob)).read_bytes() == b"content"


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_a_large_file_takes_little_memory(kind: str, tmp_path: Path, s3_endpoint: str) -> None:
    file = tmp_path / "large"
    with file.open("wb") as opened:
        opened.truncate(128 * MIB)
    program = Path(__file__).parents[1] / "support" / "large_blob.py"
    endpoint = [s3_endpoint] if kind == "s3" else []
    answer = subprocess.run(
        [sys.executable, program, file, tmp_path / "store", *endpoint],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert int(answer.stdout) < 80 * MIB


async def test_what_a_crash_left_is_removed_and_what_is_being_written_is_not(
    blobs: BlobStore, tmp_path: Path
) -> None:
    blob = await store_content(blobs, tmp_path, b"content")
    await blobs.local_file(blob)
    [incoming] = (tmp_path / "store").rglob("incoming")
    (stray := incoming / "stray").touch()
    (young := incoming / "young").touch()
    os.utime(stray, (0, 0))
    await blobs.tidy(3600.0)
    assert list(incoming.iterdir()) == [young]
    assert await read_all(blobs, blob) == b"content"


@pytest.mark.parametrize("raw_store", ["s3"], indirect=True)
async def test_copies_that_nobody_used_for_long_are_removed_and_fetched_again(
    blobs: BlobStore, tmp_path: Path
) -> None:
    blob = await store_content(blobs, tmp_path, b"content")
    copy = await blobs.local_file(blob)
    await blobs.tidy(3600.0)
    assert copy.exists()
    await blobs.tidy(-1.0)
    assert not copy.exists()
    assert (await blobs.local_file(blob)).read_bytes() == b"content"
