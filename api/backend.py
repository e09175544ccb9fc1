"""What the application stands on: the parts of a server, or those of one process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from api.probes import Probe, probe_postgres, probe_ray, probe_redis
from api.streams.hub import EventHub
from wtb_async.application.ports import LiveEventSource
from wtb_async.bootstrap.collecting import freeze_what_is_loaded
from wtb_async.bootstrap.platform import Platform, open_platform
from wtb_async.infrastructure.postgres.queries.metrics import MetricQueries
from wtb_async.infrastructure.redis.live_event_reader import LiveEventReader
from wtb_async.infrastructure.redis.nudges import listen_for_news
from wtb_async.infrastructure.telemetry.logs import configure_logs
from wtb_async.infrastructure.telemetry.metrics import MetricsPage
from wtb_async.settings import Settings


@dataclass(frozen=True, slots=True)
class Backend:
    """What routes need."""

    platform: Platform
    hub: EventHub
    """Somebody wakes it when there is news."""
    live_events: LiveEventSource
    probes: Sequence[Probe]
    """Which parts `/ready` asks."""


def metrics_page(platform: Platform) -> MetricsPage:
    """Where this process's scrapes are answered."""
    settings = platform.settings
    queries = MetricQueries(platform.database.engine)
    read = partial(queries.figures, settings.runner.lease_seconds)
    return MetricsPage(read, settings.integrity.metrics_seconds)


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncIterator[Backend]:
    """The parts that a server's processes share."""
    configure_logs(settings.log_level)
    freeze_what_is_loaded()
    size = settings.api.database_pool_size
    async with open_platform(settings, role="api", pool_size=size) as platform:
        hub = EventHub()
        listening = asyncio.create_task(
            listen_for_news(platform.redis, announcements=hub, on_gap=hub.wake_all)
        )
        probes = [
            partial(probe_postgres, platform),
            partial(probe_redis, platform),
            partial(probe_ray, platform),
        ]
        try:
            yield Backend(platform, hub, LiveEventReader(platform.redis), probes)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
