"""Delivers what the relay routed: Celery tasks, and a word to the live streams."""

import asyncio
from uuid import UUID

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from workers.celery_app import app
from wtb_async.application.outbox.routing import Deliveries
from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.redis.nudges import RelaySignals


class CeleryDelivery:
    """Sends tasks by name; whichever worker listens to the queue takes them."""

    def __init__(self, signals: RelaySignals) -> None:
        self._signals = signals

    async def deliver(self, deliveries: Deliveries) -> None:
        """Send everything, or raise TransientError; sending twice does no harm."""
        try:
            if deliveries.pools or deliveries.batches or deliveries.checks:
                await asyncio.to_thread(_send, deliveries)
            await self._signals.announce(deliveries.news, deliveries.progress)
            await self._signals.ask(deliveries.asked_pools)
        except (OperationalError, RedisError, OSError) as error:
            raise TransientError(f"the broker does not answer: {error}") from error


def _send(deliveries: Deliveries) -> None:
    for pool in deliveries.pools:
        app.send_task("wtb.dispatch.dispatch_runs", args=[pool], expires=60)
    for batch_id in deliveries.batches:
        send_scoring(batch_id)
    for report_id in deliveries.checks:
        send_check(report_id)


def send_scoring(batch_id: UUID | str, *, has_waited: bool = False) -> None:
    """Ask for a batch's ended executions to be scored; who waits for a slot, a second later."""
    app.send_task(
        "wtb.evaluation.score_batch",
        args=[str(batch_id), has_waited],
        countdown=1 if has_waited else None,
        expires=60,
    )


def send_check(report_id: UUID | str) -> None:
    """Ask for an integrity report to be gone on with."""
    app.send_task("wtb.maintenance.check_integrity", args=[str(report_id)], expires=60)
