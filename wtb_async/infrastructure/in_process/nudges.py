"""Nudges from one part of this process to another; none of them can get lost."""

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID


class InProcessNudges:
    """Wakes the runner and the relay of this process.

    Attributes:
        on_runs: called when there are new pending runs.
        on_requests: called when something is asked of runs.
        on_scores: called with the batch tests whose executions have been scored.
    """

    def __init__(self) -> None:
        self.on_runs: Callable[[], None] = _nobody
        self.on_requests: Callable[[], None] = _nobody
        self.on_scores: Callable[[Iterable[UUID]], None] = _nobody
        self._events = asyncio.Event()

    def new_events(self) -> None:
        """There are new rows in the outbox."""
        self._events.set()

    def new_runs(self, pool: str) -> None:
        """There are new pending runs; this process has one pool."""
        del pool
        self.on_runs()

    def new_requests(self, pool: str) -> None:
        """Something is asked of runs that are executed here."""
        del pool
        self.on_requests()

    def new_scores(self, batch_id: UUID) -> None:
        """Executions of this batch test have been scored."""
        self.on_scores([batch_id])

    async def wait_for_events(self) -> None:
        """Return when there were new events since the last time."""
        await self._events.wait()
        self._events.clear()


def _nobody(*_: object) -> None:
    """Nobody listens yet."""
