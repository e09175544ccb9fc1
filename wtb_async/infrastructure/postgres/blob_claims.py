"""Claims on blobs: how those who store files keep the garbage collection away."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.files.repositories import BlobClaims, ClaimsLost
from wtb_async.domain.file_commit import Blob

# In one order, so that two who claim the same do not wait for each other in a circle. A row that
# a collection is removing is waited for, and made anew.
_CLAIM = text(
    """
    INSERT INTO wtb_file_blobs (sha256, size)
    SELECT sha256, size
    FROM unnest(CAST(:sha256s AS text[]), CAST(:sizes AS bigint[])) AS blob (sha256, size)
    ORDER BY sha256
    ON CONFLICT (sha256) DO UPDATE SET claimed_at = clock_timestamp()
    RETURNING sha256, number, stored_at IS NULL AS is_missing
    """
)

# The lock lasts until the commit of the rows that refer to the blobs, so that a collection sees
# these rows, or passes the blobs over.
_CONFIRM = text(
    """
    WITH held AS (
        SELECT blob.sha256, blob.stored_at FROM wtb_file_blobs AS blob
        JOIN unnest(CAST(:sha256s AS text[]), CAST(:numbers AS bigint[]))
            AS claimed (sha256, number) USING (sha256, number)
        ORDER BY blob.sha256 FOR NO KEY UPDATE OF blob
    ), stored AS (
        UPDATE wtb_file_blobs AS blob SET stored_at = clock_timestamp()
        FROM held WHERE blob.sha256 = held.sha256 AND held.stored_at IS NULL
    )
    SELECT count(*) FROM held
    """
)


async def claim_blobs(session: AsyncSession, blobs: Collection[Blob]) -> BlobClaims:
    """Protect blobs from the garbage collection for its grace period."""
    rows = await session.execute(
        _CLAIM, {"sha256s": [blob.sha256 for blob in blobs], "sizes": [blob.size for blob in blobs]}
    )
    claimed = rows.all()
    return BlobClaims(
        numbers={row.sha256: row.number for row in claimed},
        missing=frozenset(row.sha256 for row in claimed if row.is_missing),
    )


async def confirm_blobs(session: AsyncSession, claims: BlobClaims) -> None:
    """Note that claimed blobs are in the store, in the transaction that refers to them.

    Raises ClaimsLost when one of them was collected in between.
    """
    numbers = claims.numbers
    held = await session.scalar(
        _CONFIRM, {"sha256s": list(numbers), "numbers": list(numbers.values())}
    )
    if held != len(numbers):
        raise ClaimsLost
