"""A limit to what all blobs take together."""

from collections.abc import Awaitable, Callable
from time import monotonic

from wtb_async.application.files.blob_store import StoreLimit

StoredBytes = Callable[[], Awaitable[int]]
"""Sums up what is stored."""

REFRESH_SECONDS = 60.0
REFRESH_SECONDS_WHEN_FULL = 1.0
"""So soon a full store notices that there is room again."""


class StoreQuota:
    """Refuses what would exceed the limit, as far as this process knows.

    What the others store it learns once a minute, so together they may go past the limit by what
    they store in a minute. A sum over all rows at every snapshot would cost more than that.
    """

    def __init__(self, limit: int, stored_bytes: StoredBytes) -> None:
        self._limit = limit
        self._stored_bytes = stored_bytes
        self._used = 0
        self._refreshed_at = -REFRESH_SECONDS

    async def admit(self, size: int) -> None:
        """Count so many bytes as stored. Raises StoreLimit when there is no room for them."""
        await self._refresh(REFRESH_SECONDS)
        if self._used + size > self._limit:
            await self._refresh(REFRESH_SECONDS_WHEN_FULL)
        if self._used + size > self._limit:
            raise StoreLimit(used=self._used, size=size, limit=self._limit)
        self._used += size

    async def _refresh(self, seconds: float) -> None:
        if monotonic() - self._refreshed_at >= seconds:
            self._used = await self._stored_bytes()
            self._refreshed_at = monotonic()


class NoQuota:
    """Leaves it to the disk."""

    async def admit(self, size: int) -> None:
        """Admit anything."""


UNLIMITED = NoQuota()
