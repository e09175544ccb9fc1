"""Checks of the blob store: what the database takes for stored is there, unaltered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.files.blob_store import BlobAltered, BlobMissing, BlobStore
from wtb_async.application.maintenance.checks import Looked
from wtb_async.domain.file_commit import Blob
from wtb_async.domain.integrity import Check, Finding, Severity

_NEXT = text(
    """
    SELECT sha256, size FROM wtb_file_blobs
    WHERE sha256 > :after AND stored_at IS NOT NULL AND claimed_at IS NOT NULL
    ORDER BY sha256 LIMIT :limit
    """
)
# A collection condemns a blob, in a transaction of its own, before it deletes the content.
_STILL_STORED = text(
    """
    SELECT sha256 FROM wtb_file_blobs
    WHERE sha256 = ANY (CAST(:sha256s AS text[]))
      AND stored_at IS NOT NULL AND claimed_at IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class StoredBlobs:
    """The blobs that the database takes for stored."""

    engine: AsyncEngine

    async def next(self, after: str, limit: int) -> list[Blob]:
        """Those that follow, by hash."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(_NEXT, {"after": after, "limit": limit})
        return [Blob(row.sha256, row.size) for row in rows]

    async def among(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings of blobs that have not been given up meanwhile."""
        if not findings:
            return []
        given = {"sha256s": [each.subject for each in findings]}
        async with self.engine.connect() as connection:
            rows = await connection.execute(_STILL_STORED, given)
        stored = set(rows.scalars())
        return [each for each in findings if each.subject in stored]


class LostBlobs:
    """Asks the store for the last byte of every blob, many at a time."""

    check = Check(
        name="lost_blobs",
        severity=Severity.CRITICAL,
        title="a content that is not in the store, or not all of it",
    )
    _AT_ONCE = 16

    def __init__(self, blobs: StoredBlobs, store: BlobStore, chunk_size: int) -> None:
        self._blobs = blobs
        self._store = store
        self._chunk_size = chunk_size

    async def look(self, cursor: list[str] | None) -> Looked:
        """Look at the next blobs. Raises TransientError."""
        blobs = await self._blobs.next(_after(cursor), self._chunk_size)
        found: list[Finding] = []
        for start in range(0, len(blobs), self._AT_ONCE):
            some = blobs[start : start + self._AT_ONCE]
            ends = await asyncio.gather(*(self._problem_of(blob) for blob in some))
            found += [finding for finding in ends if finding]
        return _looked(blobs, await self._blobs.among(found), is_last=len(blobs) < self._chunk_size)

    async def _problem_of(self, blob: Blob) -> Finding | None:
        return await problem_of(self._store, blob, start=max(blob.size - 1, 0))


class AlteredBlobs:
    """Reads every blob, at a rate that leaves the disk to others."""

    check = Check(
        name="altered_blobs",
        severity=Severity.CRITICAL,
        title="a content that is not what it was when it was stored",
        is_deep=True,
    )
    _AT_ONCE = 64
    _SECONDS = 5.0
    """About how much is read in one part; one blob is read whole, however large."""

    def __init__(self, blobs: StoredBlobs, store: BlobStore, bytes_per_second: int) -> None:
        self._blobs = blobs
        self._store = store
        self._bytes_per_second = bytes_per_second

    async def look(self, cursor: list[str] | None) -> Looked:
        """Read the next blobs. Raises TransientError."""
        blobs = await self._blobs.next(_after(cursor), self._AT_ONCE)
        found: list[Finding] = []
        read: list[Blob] = []
        for blob in blobs:
            if sum(each.size for each in read) > self._SECONDS * self._bytes_per_second:
                break
            if problem := await self._read(blob):
                found.append(problem)
            read.append(blob)
        is_last = len(read) == len(blobs) < self._AT_ONCE
        return _looked(read, await self._blobs.among(found), is_last=is_last)

    async def _read(self, blob: Blob) -> Finding | None:
        began = monotonic()
        problem = await problem_of(self._store, blob)
        await asyncio.sleep(blob.size / self._bytes_per_second - (monotonic() - began))
        return problem


async def problem_of(store: BlobStore, blob: Blob, *, start: int = 0) -> Finding | None:
    """What is wrong with a content in the store, as far as reading it from a byte on shows."""
    try:
        async for _ in store.read(blob, start=start):
            pass
    except BlobMissing:
        return Finding(blob.sha256, f"missing, {blob.size} bytes")
    except BlobAltered:
        return Finding(blob.sha256, f"altered, {blob.size} bytes")
    return None


def _after(cursor: list[str] | None) -> str:
    return cursor[0] if cursor else ""


def _looked(blobs: Sequence[Blob], found: Sequence[Finding], *, is_last: bool) -> Looked:
    return Looked(found, None if is_last else [blobs[-1].sha256])
