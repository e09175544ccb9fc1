"""What every blob store promises, whether it is a folder or a bucket."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from blob_stores import blob_of, read_all, store_content, write_file

from wtb_async.application.files.blob_store import BlobMissing, BlobStore, FileChanged
from wtb_async.domain.file_commit import Blob

SIZES = [0, 1, 4 << 20, (4 << 20) + 1, (17 << 20) + 3]
"""Nothing, one piece, a piece and a byte, and what goes to a bucket in parts."""


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_put_is_read_again(blobs: BlobStore, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    blob = await store_content(blobs, tmp_path, content)
    assert await read_all(blobs, blob) == content


async def test_pieces_have_a_bounded_size(blobs: BlobStore, tmp_path: Path) -> None:
    blob = await store_content(blobs, tmp_path, bytes(9 << 20))
    sizes = [len(piece) async for piece in blobs.read(blob)]
    assert sum(sizes) == 9 << 20
    assert max(sizes) <= 4 << 20


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (2, 5), (8, None), (9, 100), (0, 10), (10, None), (5, 5), (50, 60)]
)
async def test_a_range_is_what_a_slice_would_be(
    blobs: BlobStore, tmp_path: Path, start: int, end: int | None
) -> None:
    blob = await store_content(blobs, tmp_path, b"0123456789")
    pieces = [piece async for piece in blobs.read(blob, start=start, end=end)]
    assert b"".join(pieces) == b"0123456789"[start:end]


async def test_many_are_put_and_fetched_at_once(blobs: BlobStore, tmp_path: Path) -> None:
    written = [write_file(tmp_path, b"%d" % number) for number in range(50)]
    files = {blob: file for file, blob in written}
    await blobs.put_all(files)
    copies = await blobs.local_files(list(files))
    assert {blob: copy.read_bytes() for blob, copy in copies.items()} == {
        blob: file.read_bytes() for blob, file in files.items()
    }


async def test_a_local_file_has_the_content_and_is_read_only(
    blobs: BlobStore, tmp_path: Path
) -> None:
    blob = await store_content(blobs, tmp_path, b"content")
    copy = await blobs.local_file(blob)
    assert copy.read_bytes() == b"content"
    assert copy.stat().st_mode & 0o777 == 0o444
    assert await blobs.local_file(blob) == copy


async def test_putting_the_same_again_changes_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    blob = await store_content(blobs, tmp_path, b"content")
    before = (await blobs.local_file(blob)).stat().st_ino
    await store_content(blobs, tmp_path, b"content")
    assert (await blobs.local_file(blob)).stat().st_ino == before
    assert [stored async for stored, _ in blobs.stored()] == [blob]


@pytest.mark.parametrize("size", [7, 9 << 20])
async def test_a_file_that_changed_meanwhile_is_not_stored(
    blobs: BlobStore, tmp_path: Path, size: int
) -> None:
    file, _ = write_file(tmp_path, bytes(size))
    expected = blob_of(os.urandom(size))
    with pytest.raises(FileChanged, match=file.name):
        await blobs.put(file, expected)
    assert [stored async for stored in blobs.stored()] == []


async def test_a_file_that_shrank_or_went_away_is_not_stored(
    blobs: BlobStore, tmp_path: Path
) -> None:
    file, blob = write_file(tmp_path, b"content")
    for found in (b"conten", None):
        file.unlink() if found is None else file.write_bytes(found)
        with pytest.raises(FileChanged):
            await blobs.put(file, blob)


async def test_a_file_that_grew_is_stored_as_far_as_it_was_found(
    blobs: BlobStore, tmp_path: Path
) -> None:
    file, blob = write_file(tmp_path, b"content")
    file.write_bytes(b"content and more")
    await blobs.put(file, blob)
    assert (await blobs.local_file(blob)).read_bytes() == b"content"


async def test_what_took_a_files_place_is_neither_followed_nor_waited_for(
    blobs: BlobStore, tmp_path: Path
) -> None:
    target, blob = write_file(tmp_path, b"content")
    link, fifo = tmp_path / "link", tmp_path / "fifo"
    link.symlink_to(target)
    os.mkfifo(fifo)
    for file in (link, fifo, tmp_path):
        with pytest.raises(FileChanged):
            await blobs.put(file, blob)


async def test_a_blob_that_is_not_there_is_missing(blobs: BlobStore) -> None:
    for blob in (blob_of(b"nobody put this"), blob_of(b"")):
        with pytest.raises(BlobMissing, match=blob.sha256):
            await read_all(blobs, blob)
        with pytest.raises(BlobMissing, match=blob.sha256):
            await blobs.local_file(blob)


async def test_deleted_blobs_are_gone_and_those_not_there_are_passed_over(
    blobs: BlobStore, tmp_path: Path
) -> None:
    gone = await store_content(blobs, tmp_path, b"gone")
    kept = await store_content(blobs, tmp_path, b"kept")
    await blobs.delete([gone.sha256, blob_of(b"never there").sha256])
    with pytest.raises(BlobMissing):
        await read_all(blobs, gone)
    assert await read_all(blobs, kept) == b"kept"
    await blobs.delete([])


async def test_all_that_is_stored_is_listed_with_its_time(blobs: BlobStore, tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # The protocol counts whole seconds.
    put = {await store_content(blobs, tmp_path, b"%d" % number) for number in range(20)}
    listed = [item async for item in blobs.stored()]
    assert {blob for blob, _ in listed} == put
    assert all(before < at <= datetime.now(UTC) for _, at in listed)


@pytest.mark.parametrize("prefix", ["", "5", "5f", "5fe"])
async def test_a_part_of_the_store_is_listed_by_the_beginning_of_hashes(
    blobs: BlobStore, tmp_path: Path, prefix: str
) -> None:
    put = {await store_content(blobs, tmp_path, b"%d" % number) for number in range(20)}
    listed = {blob async for blob, _ in blobs.stored(prefix)}
    assert listed == {blob for blob in put if blob.sha256.startswith(prefix)}


async def test_a_blob_is_kept_under_its_hash(blobs: BlobStore, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"content").hexdigest()
    blob = Blob(sha256, 7)
    assert await store_content(blobs, tmp_path, b"content") == blob
    copy = await blobs.local_file(blob)
    assert copy.parts[-3:] == ("objects", sha256[:2], sha256[2:])
