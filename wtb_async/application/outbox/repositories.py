"""What the outbox needs from the database."""

from collections.abc import Collection
from typing import Protocol

from wtb_async.domain.events import OutboxEvent


class OutboxRepository(Protocol):
    """Events on their way out."""

    async def claim(self, limit: int, claim_seconds: float) -> list[OutboxEvent]:
        """Take the oldest open events, in order per aggregate, hidden from others for a while."""

    async def mark_sent(self, ids: Collection[int]) -> None:
        """These events have been delivered."""

    async def mark_failed(
        self, ids: Collection[int], error: str, *, retry_in_seconds: float | None
    ) -> None:
        """Delivery failed: try again later, or (None) move to the dead letters."""

    async def lock_failed(self, event_id: int) -> OutboxEvent:
        """An event whose delivery has failed, for a change. Raises NotFound."""

    async def dead_letter_before(self, event: OutboxEvent) -> int | None:
        """The oldest dead letter of the event's object that comes before it."""

    async def replay(self, event_id: int) -> None:
        """Put a dead letter back in its place among the open events, with all attempts."""
