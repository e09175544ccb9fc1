"""Collections and snapshots of the same contents at the same time."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from blob_stores import blob_of, read_all
from kept_files import KeptFiles

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.files.collect_garbage import GarbageCollection
from wtb_async.application.files.repositories import ClaimsLost
from wtb_async.domain.errors import Conflict
from wtb_async.infrastructure.postgres.database import Database

ROUNDS = 25


class Run:
    """Takes snapshots that share contents with those of others, and forgets them again."""

    def __init__(self, kept: KeptFiles, contents: Sequence[bytes], seed: int) -> None:
        self._kept = kept
        self._contents = contents
        self._chance = random.Random(seed)  # noqa: S311 - a run that can be repeated
        self.overtaken = 0

    async def go(self) -> None:
        for _ in range(ROUNDS):
            wanted = self._chance.sample(self._contents, 3)
            await self._take_snapshot(wanted)
        await self._take_snapshot(self._contents[:2], then_forget=False)

    async def _take_snapshot(self, wanted: Sequence[bytes], *, then_forget: bool = True) -> None:
        while True:
            try:
                thread_id = await self._kept.link(await self._kept.keep(*wanted))
                break
            except (ClaimsLost, Conflict):
                self.overtaken += 1
        for content in wanted:
            assert await read_all(self._kept.blobs, blob_of(content)) == content
        if then_forget:
            await self._kept.unlink(thread_id)


@pytest.mark.parametrize("raw_store", ["local"], indirect=True)
async def test_a_content_that_is_led_to_never_goes_missing_even_without_a_grace_period(
    database: Database, blobs: BlobStore, tmp_path: Path
) -> None:
    contents = contents_of_the_first_part(6)
    runs = [Run(KeptFiles(database, blobs, tmp_path), contents, seed) for seed in range(3)]
    collection = GarbageCollection(database.unit_of_work, blobs, unused_seconds=0.0)

    async def collect() -> None:
        while True:
            await collection.collect(0, work_seconds=0.0)

    async with asyncio.TaskGroup() as group:
        collections = [group.create_task(collect()) for _ in range(2)]
        await asyncio.gather(*(run.go() for run in runs))
        for each in collections:
            each.cancel()
    await collection.collect(0, work_seconds=60.0)
    assert {blob async for blob, _ in blobs.stored()} == set(map(blob_of, contents[:2]))
    assert any(run.overtaken for run in runs), "they never met, so this has shown nothing"


def contents_of_the_first_part(count: int) -> list[bytes]:
    candidates = (b"%d" % number for number in itertools.count())
    first = (content for content in candidates if blob_of(content).sha256.startswith("00"))
    return list(itertools.islice(first, count))
