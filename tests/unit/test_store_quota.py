"""A limit to all blobs together, and what it costs to keep it."""

import pytest

from wtb_async.application.files.blob_store import StoreLimit
from wtb_async.infrastructure.files import store_quota
from wtb_async.infrastructure.files.store_quota import StoreQuota


class StoredRows:
    """How much the database says is stored, and how often it was asked."""

    def __init__(self, used: int) -> None:
        self.used = used
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        return self.used


class Clock:
    """Tells the seconds that a test lets pass."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(store_quota, "monotonic", clock)
    return clock


async def test_what_fits_is_counted_and_what_does_not_is_refused(clock: Clock) -> None:
    quota = StoreQuota(100, StoredRows(60))
    await quota.admit(30)
    await quota.admit(10)
    with pytest.raises(StoreLimit, match="1 bytes more would exceed the 100"):
        await quota.admit(1)
    del clock


async def test_the_database_is_asked_once_a_minute(clock: Clock) -> None:
    rows = StoredRows(0)
    quota = StoreQuota(100, rows)
    for _ in range(5):
        await quota.admit(1)
    assert rows.asked == 1
    clock.seconds = 61.0
    await quota.admit(1)
    assert rows.asked == 2


async def test_room_that_a_collection_made_is_noticed_within_a_second(clock: Clock) -> None:
    rows = StoredRows(100)
    quota = StoreQuota(100, rows)
    for _ in range(3):
        with pytest.raises(StoreLimit):
            await quota.admit(1)
    assert rows.asked == 1
    rows.used = 0
    clock.seconds = 1.5
    await quota.admit(1)
    assert rows.asked == 2


async def test_what_others_stored_meanwhile_counts(clock: Clock) -> None:
    rows = StoredRows(0)
    quota = StoreQuota(100, rows)
    await quota.admit(10)
    rows.used = 95
    clock.seconds = 61.0
    with pytest.raises(StoreLimit):
        await quota.admit(10)
