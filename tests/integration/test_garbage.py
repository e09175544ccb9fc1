"""Collections take what nothing leads to, and never what somebody counts on."""

from collections.abc import Collection
from pathlib import Path

import pytest
from arranging import eventually, select
from blob_stores import blob_of, read_all, store_content
from kept_files import KeptFiles

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.files.collect_garbage import GarbageCollection
from wtb_async.application.files.repositories import ClaimsLost
from wtb_async.domain.errors import TransientError
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.in_process.background import Background
from wtb_async.infrastructure.in_process.work import collect_garbage_forever
from wtb_async.infrastructure.postgres.database import Database

HOUR = 3600.0

in_a_folder = pytest.mark.parametrize("raw_store", ["local"], indirect=True)
"""Where the kind of store makes no difference."""


@pytest.fixture
def kept(database: Database, blobs: BlobStore, tmp_path: Path) -> KeptFiles:
    return KeptFiles(database, blobs, tmp_path)


async def collect(kept: KeptFiles, unused_seconds: float = 0.0) -> None:
    collection = GarbageCollection(kept.database.unit_of_work, kept.blobs, unused_seconds)
    assert await collection.collect(0, work_seconds=60.0) is None


async def stored(blobs: BlobStore) -> set[Blob]:
    return {blob async for blob, _ in blobs.stored()}


async def known(database: Database) -> set[str]:
    return {row["sha256"] for row in await select(database, "SELECT sha256 FROM wtb_file_blobs")}


async def test_what_no_checkpoint_leads_to_goes_with_its_rows(kept: KeptFiles) -> None:
    lasting = await kept.link(await kept.keep(b"shared", b"lasting"))
    passing = await kept.link(await kept.keep(b"shared", b"passing"))
    await kept.unlink(passing)
    await collect(kept)
    assert await stored(kept.blobs) == {blob_of(b"shared"), blob_of(b"lasting")}
    assert await known(kept.database) == {blob_of(b"shared").sha256, blob_of(b"lasting").sha256}
    await kept.unlink(lasting)
    await collect(kept)
    assert await stored(kept.blobs) == set()
    assert await known(kept.database) == set()


@in_a_folder
async def test_what_was_used_in_the_grace_period_stays(kept: KeptFiles) -> None:
    await kept.claim(blob_of(b"claimed only"))
    await store_content(kept.blobs, kept.folder, b"unknown to the database")
    await collect(kept, HOUR)
    assert await stored(kept.blobs) == {blob_of(b"unknown to the database")}
    assert await known(kept.database) == {blob_of(b"claimed only").sha256}


async def test_contents_that_the_database_does_not_know_go_too(kept: KeptFiles) -> None:
    await store_content(kept.blobs, kept.folder, b"unknown to the database")
    await kept.link(await kept.keep(b"known"))
    await collect(kept, -HOUR)  # The protocol of buckets counts whole seconds.
    assert await stored(kept.blobs) == {blob_of(b"known")}


@in_a_folder
async def test_an_ancestor_stays_as_long_as_a_descendant_is_led_to(kept: KeptFiles) -> None:
    oldest = await kept.keep(b"1")
    older = await kept.keep(b"2", parent=oldest)
    dead_end = await kept.keep(b"3", parent=oldest)
    await kept.keep(b"4", parent=dead_end)
    thread_id = await kept.link(await kept.keep(b"5", parent=older))
    await collect(kept)
    assert await stored(kept.blobs) == {blob_of(b"1"), blob_of(b"2"), blob_of(b"5")}
    await kept.unlink(thread_id)
    await collect(kept)
    assert await select(kept.database, "SELECT id FROM wtb_file_commits") == []
    assert await stored(kept.blobs) == set()


@in_a_folder
async def test_a_claim_that_a_collection_overtook_is_lost(kept: KeptFiles) -> None:
    blob = blob_of(b"slow")
    early = await kept.claim(blob)
    await collect(kept)
    late = await kept.claim(blob)
    assert late.missing == {blob.sha256}
    with pytest.raises(ClaimsLost):
        await kept.commit(early)
    assert await select(kept.database, "SELECT id FROM wtb_file_commits") == []


async def test_a_collection_that_dies_after_deleting_leaves_nobody_relying_on_the_content(
    kept: KeptFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept.keep(b"content")
    blob = blob_of(b"content")
    delete = kept.blobs.delete

    async def delete_and_die(sha256s: Collection[str]) -> None:
        await delete(sha256s)
        raise TransientError("killed")

    monkeypatch.setattr(kept.blobs, "delete", delete_and_die)
    with pytest.raises(TransientError, match="killed"):
        await collect(kept)
    monkeypatch.undo()
    assert (await kept.claim(blob)).missing == {blob.sha256}
    await kept.link(await kept.keep(b"content"))
    await collect(kept)
    assert await read_all(kept.blobs, blob) == b"content"


@in_a_folder
async def test_a_collection_goes_on_where_it_stopped(kept: KeptFiles) -> None:
    for number in range(20):
        await kept.keep(b"%d" % number)
    collection = GarbageCollection(kept.database.unit_of_work, kept.blobs, 0.0)
    parts: list[int] = []
    part: int | None = 0
    while part is not None:
        part = await collection.collect(part, work_seconds=0.0)
        parts.append(part or 0)
    assert parts == [0, *range(1, 256), 0]
    assert await stored(kept.blobs) == set()


@in_a_folder
async def test_in_one_process_garbage_is_collected_now_and_then_also_after_an_error(
    kept: KeptFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept.keep(b"content")
    tidy, errors = kept.blobs.tidy, [TransientError("the store is away")]

    async def tidy_or_fail(unused_seconds: float) -> None:
        if errors:
            raise errors.pop()
        await tidy(unused_seconds)

    monkeypatch.setattr(kept.blobs, "tidy", tidy_or_fail)
    collection = GarbageCollection(kept.database.unit_of_work, kept.blobs, 0.0)
    async with Background() as background:
        background.start(collect_garbage_forever(collection, seconds=0.01))
        await eventually(lambda: nothing_stored(kept.blobs))
    assert errors == []


async def nothing_stored(blobs: BlobStore) -> bool:
    return not await stored(blobs)
