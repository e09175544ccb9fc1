"""One way to read every stream: the history first, then what happens."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from api.streams.frames import Frame, Subject
from api.streams.hub import EventHub, Watch

CHUNK = 200
"""Events that are read, and may wait for a reader, at a time."""


class Source(Protocol):
    """Reads on in the stream of one object."""

    @property
    def subject(self) -> Subject:
        """Whose events these are."""

    @property
    def position(self) -> str:
        """Up to where was read."""

    async def next_frames(self, watch: Watch) -> Sequence[Frame]:
        """What comes next; nothing when there is no more for now."""

    def look_again_in(self) -> float | None:
        """In how many seconds there may be more although nothing is told; None for never."""


async def follow(
    source: Source, hub: EventHub, *, turn: asyncio.Lock, idle_seconds: float | None
) -> AsyncGenerator[Sequence[Frame]]:
    """What there is, chunk by chunk, and then what comes; never ends by itself.

    Args:
        source: what is read.
        hub: tells of news.
        turn: held while a chunk is read and taken, so that those who share it hold one chunk.
        idle_seconds: after so long without anything an empty chunk is shown; None for never.
    """
    with hub.watch(source.subject.id) as watch:
        while True:
            async with turn:
                if chunk := await source.next_frames(watch):
                    yield chunk
            if chunk:
                continue
            again = source.look_again_in()
            if not await watch.stirs(idle_seconds if again is None else again) and again is None:
                yield ()
