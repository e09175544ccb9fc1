"""The outbox as those see it who look after it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.domain.events import Aggregate
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCounts:
    """How many events there are of one type, or of all."""

    open: int
    """Not delivered yet."""
    claimed: int
    """Of the open ones: being delivered, or waiting to be tried again."""
    sent_per_minute: int
    """Delivered within the last minute."""
    dead_letters: int
    """Given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStatsView(OutboxCounts):
    """How the outbox stands, and how much of it each type of event is."""

    oldest_open_ms: float | None
    """The age of the oldest open event."""
    by_type: dict[str, OutboxCounts]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterView:
    """An event whose delivery has failed; `dead_at` is None once it was put back."""

    id: int
    type: str
    target_type: Aggregate
    target_id: UUID
    sequence: int
    data: JsonObject
    attempts: int
    last_error: str
    created_at: datetime
    sent_at: datetime | None
    dead_at: datetime | None
