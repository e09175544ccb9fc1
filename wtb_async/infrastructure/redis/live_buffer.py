"""Live events of one run on their way to Redis."""

from collections import deque
from typing import NamedTuple

import orjson

from wtb_async.application.clock import utc_now
from wtb_async.domain.stream_mode import EVENTS_DROPPED


class LiveEntry(NamedTuple):
    """A live event without its number; `at` is RFC 3339, `data` a JSON object."""

    type: str
    at: str
    data: bytes


NumberedEntry = tuple[int, LiveEntry]


class LiveBuffer:
    """Keeps events in order and below a size; where it overflows the oldest give way.

    Events are numbered when they are about to be sent, so that numbers have no gaps whatever was
    dropped before, and an event that is sent again has the number that it had.
    """

    def __init__(self, max_bytes: int, *, numbered: int = 0) -> None:
        """Hold at most `max_bytes` of data; the first number is the one after `numbered`."""
        self.numbered = numbered
        self._max_bytes = max_bytes
        self._waiting: deque[LiveEntry] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._under_way: deque[NumberedEntry] = deque()

    def __len__(self) -> int:
        """How many events have not been confirmed."""
        return len(self._under_way) + len(self._waiting) + bool(self._dropped)

    def put(self, event_type: str, data: bytes) -> None:
        """Let an event wait, in place of the oldest ones if there is no room."""
        self._waiting.append(LiveEntry(event_type, utc_now().isoformat(), data))
        self._waiting_bytes += len(data)
        while self._waiting_bytes > self._max_bytes and len(self._waiting) > 1:
            self._waiting_bytes -= len(self._waiting.popleft().data)
            self._dropped += 1

    def batch(self, limit: int) -> list[NumberedEntry]:
        """The next events, numbered; the same ones again until they are confirmed."""
        if not self._under_way:
            if self._dropped:
                self._number(_dropped(self._dropped))
                self._dropped = 0
            while self._waiting and len(self._under_way) < limit:
                entry = self._waiting.popleft()
                self._waiting_bytes -= len(entry.data)
                self._number(entry)
        return list(self._under_way)

    def confirm(self, number: int) -> None:
        """The events up to this one have arrived."""
        while self._under_way and self._under_way[0][0] <= number:
            self._under_way.popleft()

    def _number(self, entry: LiveEntry) -> None:
        self.numbered += 1
        self._under_way.append((self.numbered, entry))


def _dropped(count: int) -> LiveEntry:
    return LiveEntry(EVENTS_DROPPED, utc_now().isoformat(), orjson.dumps({"count": count}))
