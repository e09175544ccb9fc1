"""`/outbox`: what waits to be relayed, and what was given up."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from wtb_async.sdk.connection import Connection, path_of
from wtb_async.sdk.models import Answer


class OutboxCounts(Answer):
    """How many events there are: `claimed` ones are open, too, and are not to be had now."""

    open: int
    claimed: int
    sent_per_minute: int
    dead_letters: int


class OutboxStats(OutboxCounts):
    """The same of all events, with the age of the oldest open one, and of each type."""

    oldest_open_ms: float | None = None
    by_type: dict[str, OutboxCounts]


class DeadLetter(Answer):
    """An event whose delivery has failed; `dead_at` is None once it was replayed."""

    id: int
    type: str
    target_type: str
    target_id: UUID
    sequence: int
    data: dict[str, JsonValue]
    attempts: int
    last_error: str
    created_at: datetime
    sent_at: datetime | None = None
    dead_at: datetime | None = None


class Outbox:
    """The outbox of a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stats(self) -> OutboxStats:
        """Say how much waits, how much leaves, and what was given up."""
        return await self._connection.get(OutboxStats, path_of("outbox", "stats"))

    def dead_letters(self, *, page_size: int = 100) -> AsyncIterator[DeadLetter]:
        """Walk the events that could not be delivered, newest first."""
        path = path_of("outbox", "dead-letters")
        return self._connection.pages(DeadLetter, path, {}, page_size=page_size)

    async def replay(self, dead_letter: int) -> DeadLetter:
        """Have a dead letter delivered after all; doing so again changes nothing."""
        path = path_of("outbox", "dead-letters", str(dead_letter), "replay")
        return await self._connection.post(DeadLetter, path, {})
