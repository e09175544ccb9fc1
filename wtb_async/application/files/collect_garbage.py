"""Removes files that no checkpoint leads to any more."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.domain.file_commit import Blob

PARTS = 256
"""Blobs are looked through by the first two digits of their hashes."""
COMMITS_AT_ONCE = 100
BLOBS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class GarbageCollection:
    """Where garbage lies, and from when on it is garbage.

    Runs go on meanwhile: what they claim is passed over or, where that comes too late, missing, so
    that they store it again. Collections at the same time do no harm either.
    """

    uow_factory: UnitOfWorkFactory
    blobs: BlobStore
    unused_seconds: float
    """What was used in this time is kept, whether anything refers to it or not."""

    async def collect(self, part: int, *, work_seconds: float) -> int | None:
        """Collect from one part on, for about this time; answers where to go on, if anywhere.

        Raises TransientError when the store or the database is away; nothing is half done then.
        """
        end = monotonic() + work_seconds
        if part == 0:
            await self.blobs.tidy(self.unused_seconds)
            while await self._drop_commits():
                if monotonic() > end:
                    return part
            await self._drop_condemned()
        for following in range(part + 1, PARTS + 1):
            await self._collect_part(f"{following - 1:02x}")
            if monotonic() > end and following < PARTS:
                return following
        return None

    async def _drop_commits(self) -> int:
        async with self.uow_factory() as uow:
            dropped = await uow.garbage.drop_commits(self.unused_seconds, COMMITS_AT_ONCE)
            await uow.commit()
        return dropped

    async def _collect_part(self, hash_prefix: str) -> None:
        condemned = 0
        async for blobs in self._left_alone(hash_prefix):
            async with self.uow_factory() as uow:
                condemned += await uow.garbage.condemn_unknown(blobs)
                await uow.commit()
        while unused := await self._condemn_unused(hash_prefix):
            condemned += unused
        if condemned:
            await self._drop_condemned()

    async def _left_alone(self, hash_prefix: str) -> AsyncIterator[list[Blob]]:
        """What has been in the store for long; most of it is known, and of use."""
        put_before = datetime.now(UTC) - timedelta(seconds=self.unused_seconds)
        found: list[Blob] = []
        async for blob, put_at in self.blobs.stored(hash_prefix):
            if put_at < put_before:
                found.append(blob)
            if len(found) == BLOBS_AT_ONCE:
                yield found
                found = []
        if found:
            yield found

    async def _condemn_unused(self, hash_prefix: str) -> int:
        async with self.uow_factory() as uow:
            condemned = await uow.garbage.condemn_blobs(
                hash_prefix, self.unused_seconds, BLOBS_AT_ONCE
            )
            await uow.commit()
        return condemned

    async def _drop_condemned(self) -> None:
        while True:
            async with self.uow_factory() as uow:
                if not (dropped := await uow.garbage.drop_condemned(BLOBS_AT_ONCE)):
                    return
                # The rows' locks make who stores the same wait until it is gone.
                await self.blobs.delete(dropped)
                await uow.commit()
