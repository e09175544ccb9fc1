"""Delivers what the relay routed to the parts of this process."""

from collections.abc import Callable, Iterable
from uuid import UUID

from wtb_async.application.outbox.routing import Deliveries
from wtb_async.application.ports import Announcements


class InProcessDelivery:
    """Calls whoever waits for news; nothing of it takes time."""

    def __init__(
        self,
        *,
        wake_runner: Callable[[], None],
        ask_runner: Callable[[], None],
        score: Callable[[Iterable[UUID]], None],
        check: Callable[[Iterable[UUID]], None],
        announcements: Announcements,
    ) -> None:
        self._wake_runner = wake_runner
        self._ask_runner = ask_runner
        self._score = score
        self._check = check
        self._announcements = announcements

    async def deliver(self, deliveries: Deliveries) -> None:
        """Pass everything on; doing so twice does no harm."""
        if deliveries.pools:
            self._wake_runner()
        if deliveries.asked_pools:
            self._ask_runner()
        if deliveries.batches:
            self._score(deliveries.batches)
        if deliveries.checks:
            self._check(deliveries.checks)
        self._announcements.news_of(deliveries.news)
        self._announcements.progress_of(deliveries.progress)
