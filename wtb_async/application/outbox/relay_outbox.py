"""Relays outbox events: claimed in order, delivered at least once, given up after many tries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from wtb_async.application.batches.conclude_batches import conclude_batches
from wtb_async.application.outbox.routing import Deliveries, problem_of, route
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.domain.errors import TransientError
from wtb_async.domain.events import OutboxEvent

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOptions:
    """How the relay works; times in seconds."""

    chunk_size: int
    claim_for: float
    max_attempts: int
    backoff: float
    backoff_limit: float

    def retry_in(self, attempts: int) -> float | None:
        """How long to wait after this many attempts; None when there will be no other one."""
        if attempts >= self.max_attempts:
            return None
        doublings = min(attempts - 1, 60)  # Beyond that every limit is reached.
        return float(min(self.backoff * 2**doublings, self.backoff_limit))


class DeliveryService(Protocol):
    """The broker and the live streams."""

    async def deliver(self, deliveries: Deliveries) -> None:
        """Send everything, or raise TransientError; sending twice does no harm."""


async def relay_outbox(
    uow_factory: UnitOfWorkFactory, service: DeliveryService, options: RelayOptions
) -> int:
    """Relay one chunk of events, and what it brings about; answers how many were claimed.

    No transaction is open while the broker is written to: a relay that dies in between leaves its
    claim to run out, and the events go out a second time.
    """
    async with uow_factory() as uow:
        await uow.commit_each_statement()
        events = await uow.outbox.claim(options.chunk_size, options.claim_for)
    if routable := await _bury_unroutable(uow_factory, events):
        try:
            deliveries = route(routable)
            await service.deliver(deliveries)
        except TransientError as error:
            await _give_back(uow_factory, routable, error, options)
        else:
            if await _mark_sent(uow_factory, routable, deliveries):
                return len(events) + await relay_outbox(uow_factory, service, options)
    return len(events)


async def _bury_unroutable(
    uow_factory: UnitOfWorkFactory, events: Sequence[OutboxEvent]
) -> Sequence[OutboxEvent]:
    """Make dead letters of events that lack what their type promises; answers the others.

    Trying again would not help them, and would fail their neighbours too.
    """
    unroutable = {event.id: problem for event in events if (problem := problem_of(event))}
    if not unroutable:
        return events
    log.error("events_unroutable", problems=unroutable)
    async with uow_factory() as uow:
        for event_id, problem in unroutable.items():
            await uow.outbox.mark_failed([event_id], problem, retry_in_seconds=None)
        await uow.commit()
    return [event for event in events if event.id not in unroutable]


async def _mark_sent(
    uow_factory: UnitOfWorkFactory, events: Sequence[OutboxEvent], deliveries: Deliveries
) -> bool:
    """Note what was delivered, and conclude batches; tells whether there are new events now."""
    has_news = False
    async with uow_factory() as uow:
        await uow.outbox.mark_sent([event.id for event in events])
        if deliveries.resting_batches:
            has_news = bool(await conclude_batches(deliveries.resting_batches, uow))
        await uow.commit()
    return has_news


async def _give_back(
    uow_factory: UnitOfWorkFactory,
    events: Sequence[OutboxEvent],
    error: Exception,
    options: RelayOptions,
) -> None:
    log.warning("relay_failed", events=len(events), error=repr(error))
    by_wait: dict[float | None, list[int]] = {}
    for event in events:
        by_wait.setdefault(options.retry_in(event.attempts), []).append(event.id)
    async with uow_factory() as uow:
        for wait, ids in by_wait.items():
            await uow.outbox.mark_failed(ids, repr(error), retry_in_seconds=wait)
        await uow.commit()
