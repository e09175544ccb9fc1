"""Nudges over Redis: a list that the relay blocks on, channels that runners and streams hear."""

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from wtb_async.application.ports import Announcements
from wtb_async.infrastructure.redis.channels import listen

log = structlog.get_logger(__name__)

RELAY_LIST = "wtb:nudge:relay"
EVENTS_CHANNEL = "wtb:events"
RELAY_SEEN = "wtb:relay:seen"

NEW_RUNS = "runs"
NEW_REQUESTS = "requests"
"""Why the runners of a pool are woken."""

HOLD_SECONDS = 0.02
"""How long the relay is left alone after something has begun."""


_THEN_PROGRESS = "|"


def announcement(news: Iterable[UUID], progress: Iterable[UUID] = ()) -> str:
    """A message on the channel of events: whose histories grew, and which batches moved on."""
    return f"{' '.join(map(str, news))}{_THEN_PROGRESS}{' '.join(map(str, progress))}"


def wake_channel(pool: str) -> str:
    """The channel on which the runners of a pool are woken."""
    return f"wtb:wake:{pool}"


class RedisNudges:
    """Sends nudges in the background, many callers' in one round trip.

    A nudge that is lost costs its receiver one safety poll and no work, so failures are logged and
    not raised.
    """

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._messages: set[tuple[str, str]] = set()
        self._events = False
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    def new_events(self) -> None:
        """There are new rows in the outbox.

        The relay hears of it a moment later: runners are woken at once and without it, and should
        have the processor to themselves while the first node starts.
        """
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(HOLD_SECONDS, self._release_events)

    def new_runs(self, pool: str) -> None:
        """There are new pending runs in this pool."""
        self._publish(wake_channel(pool), NEW_RUNS)

    def new_requests(self, pool: str) -> None:
        """Something is asked of runs that runners of this pool execute."""
        self._publish(wake_channel(pool), NEW_REQUESTS)

    def new_scores(self, batch_id: UUID) -> None:
        """Executions of this batch test have been scored."""
        self._publish(EVENTS_CHANNEL, announcement((), [batch_id]))

    def _publish(self, channel: str, message: str) -> None:
        self._messages.add((channel, message))
        self._send()

    async def flush(self) -> None:
        """Send what is held, and wait for what is being sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._release_events()
        if self._sending is not None:
            await self._sending

    def _release_events(self) -> None:
        self._timer = None
        self._events = True
        self._send()

    def _send(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._events or self._messages:
            events, messages = self._events, self._messages
            self._events, self._messages = False, set()
            try:
                await self._send_once(events, messages)
            except (RedisError, OSError) as error:
                log.warning("nudge_lost", error=repr(error))

    async def _send_once(self, events: bool, messages: Iterable[tuple[str, str]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        if events:
            # One waiting nudge says all that a thousand would.
            pipeline.lpush(RELAY_LIST, "1")
            pipeline.ltrim(RELAY_LIST, 0, 0)
        for channel, message in messages:
            pipeline.publish(channel, message)
        await pipeline.execute()


async def listen_for_wakes(
    redis: "Redis",
    pool: str,
    *,
    on_runs: Callable[[], None],
    on_requests: Callable[[], None],
) -> None:
    """Call back for each nudge to the runners of a pool, until cancelled."""

    def on_message(reason: str) -> None:
        if reason == NEW_REQUESTS:
            on_requests()
        else:
            on_runs()

    await listen(redis, wake_channel(pool), on_message)


async def listen_for_news(
    redis: "Redis",
    *,
    announcements: Announcements,
    on_gap: Callable[[], None],
) -> None:
    """Pass on what is announced, until cancelled.

    Args:
        redis: a client with `decode_responses`.
        announcements: told what readers of streams wait for.
        on_gap: called when it may have been any.
    """

    def on_message(message: str) -> None:
        news, _, progress = message.partition(_THEN_PROGRESS)
        announcements.news_of(map(UUID, news.split()))
        announcements.progress_of(map(UUID, progress.split()))

    await listen(redis, EVENTS_CHANNEL, on_message, on_gap=on_gap)


class RelaySignals:
    """The relay's side: waits for nudges, shows that it lives, announces what has changed."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def wait(self, seconds: float) -> None:
        """Return at the next nudge, or when the time is up."""
        await self._redis.blpop([RELAY_LIST], timeout=max(seconds, 0.01))

    async def seen(self) -> None:
        """Let `/ready` know that a worker relays events."""
        await self._redis.set(RELAY_SEEN, "1", ex=5)

    async def ask(self, pools: Iterable[str]) -> None:
        """Tell the runners of these pools that something is asked of their runs."""
        for pool in pools:
            await self._redis.publish(wake_channel(pool), NEW_REQUESTS)

    async def announce(self, news: Iterable[UUID], progress: Iterable[UUID] = ()) -> None:
        """Tell live streams whose histories have grown, and which batch tests moved on."""
        await self._redis.publish(EVENTS_CHANNEL, announcement(news, progress))
