"""Sends what runs stream to Redis, where event streams find it."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.event_position import EventPosition
from wtb_async.domain.stream_mode import StreamMode, stream_modes
from wtb_async.infrastructure.redis.live_buffer import LiveBuffer, NumberedEntry
from wtb_async.infrastructure.redis.nudges import EVENTS_CHANNEL, announcement

log = structlog.get_logger(__name__)

HOLD_SECONDS = 0.01
"""How long an event waits for others to go with it."""
BATCH = 64
"""As many events of one run go at once, and do not wait."""
SEND_SECONDS = 2.0
RETRY_SECONDS = 0.2
FLUSH_SECONDS = 0.5
REMEMBERED_RUNS = 1000


def live_events_key(execution_id: UUID) -> str:
    """The Redis stream of an execution's live events; the entries' ids are the events' ids."""
    return f"wtb:live:{execution_id}"


class RunFeed:
    """The live events of one run."""

    def __init__(
        self,
        run: ClaimedRun,
        buffer: LiveBuffer,
        *,
        max_value_bytes: int,
        on_put: Callable[["RunFeed"], None],
    ) -> None:
        self.execution_id = run.execution_id
        self.version = run.execution_version
        self.modes: Sequence[StreamMode] = stream_modes(run.stream)
        self.max_value_bytes = max_value_bytes
        self.buffer = buffer
        self.progress = asyncio.Event()
        self.is_open = True
        self._on_put = on_put

    def put(self, event_type: str, data: bytes) -> None:
        """Let an event wait to be sent; after the end of the run it is dropped."""
        if self.is_open:
            self.buffer.put(event_type, data)
            self._on_put(self)


class RedisLiveEvents:
    """Sends the live events of a runner's runs in the background, many in one round trip.

    An event's id is the version that the run gave its execution, and its number within the run.
    Redis takes no id that is not larger than the last one: what a runner goes on sending after
    another one has taken its run over is refused, and an event that is sent twice is kept once.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        max_value_bytes: int,
        buffer_bytes: int,
        kept_events: int,
        keep_seconds: int,
    ) -> None:
        """Keep so many events per execution, for so long after the last one.

        `buffer_bytes` is how much may wait per run while Redis is slow or away.
        """
        self._redis = redis
        self._max_value_bytes = max_value_bytes
        self._buffer_bytes = buffer_bytes
        self._kept_events = kept_events
        self._keep_seconds = keep_seconds
        self._waiting: dict[RunFeed, None] = {}
        self._hurry = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._numbered: OrderedDict[UUID, int] = OrderedDict()

    @asynccontextmanager
    async def of_run(self, run: ClaimedRun) -> AsyncIterator[RunFeed | None]:
        """The sink of a run, or None when it has no stream modes.

        At the end what waits is sent; what cannot be sent in time is lost.
        """
        if not run.stream:
            yield None
            return
        # A run that the database's absence cut off is driven again, and counts on.
        buffer = LiveBuffer(self._buffer_bytes, numbered=self._numbered.get(run.id, 0))
        feed = RunFeed(run, buffer, max_value_bytes=self._max_value_bytes, on_put=self._send_soon)
        try:
            yield feed
        finally:
            await self._flush(feed)
            self._remember(run.id, buffer.numbered)

    async def close(self) -> None:
        """Wait for what is being sent."""
        if self._sending is not None:
            await self._sending

    async def _flush(self, feed: RunFeed) -> None:
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                while len(feed.buffer) and feed.is_open:
                    feed.progress.clear()
                    self._hurry.set()
                    await feed.progress.wait()
        except TimeoutError:
            lost = len(feed.buffer)
            log.warning("live_events_lost", execution_id=str(feed.execution_id), count=lost)
        finally:
            self._end(feed)

    def _end(self, feed: RunFeed) -> None:
        feed.is_open = False
        feed.progress.set()
        self._waiting.pop(feed, None)

    def _remember(self, run_id: UUID, numbered: int) -> None:
        self._numbered[run_id] = numbered
        if len(self._numbered) > REMEMBERED_RUNS:
            self._numbered.popitem(last=False)

    def _send_soon(self, feed: RunFeed) -> None:
        self._waiting[feed] = None
        if len(feed.buffer) >= BATCH:
            self._hurry.set()
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), HOLD_SECONDS)
            self._hurry.clear()
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send_once()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("live_events_delayed", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _send_once(self) -> None:
        batches = {feed: feed.buffer.batch(BATCH) for feed in self._waiting}
        # One transaction: none of a run's events may arrive without those before it.
        pipeline = self._redis.pipeline(transaction=True)
        for feed, batch in batches.items():
            key = live_events_key(feed.execution_id)
            for number, entry in batch:
                pipeline.xadd(
                    key,
                    {"type": entry.type, "at": entry.at, "data": entry.data},
                    id=str(EventPosition(feed.version, number)),
                    maxlen=self._kept_events,
                )
            pipeline.expire(key, self._keep_seconds)
        pipeline.publish(EVENTS_CHANNEL, announcement(feed.execution_id for feed in batches))
        answers = iter(await pipeline.execute(raise_on_error=False))
        for feed, batch in batches.items():
            added = [next(answers) for _ in batch]
            next(answers)  # Of EXPIRE.
            await self._note(feed, batch, added)

    async def _note(self, feed: RunFeed, batch: list[NumberedEntry], added: list[Any]) -> None:
        """Go on behind what has arrived."""
        if refused := next((each for each in added if isinstance(each, ResponseError)), None):
            await self._note_refusal(feed, refused)
        else:
            feed.buffer.confirm(batch[-1][0])
        feed.progress.set()
        if not len(feed.buffer):
            self._waiting.pop(feed, None)

    async def _note_refusal(self, feed: RunFeed, refused: ResponseError) -> None:
        """Find out whether the events had arrived before, or another run has taken over."""
        key = live_events_key(feed.execution_id)
        newest: Any = await self._redis.xrevrange(key, count=1)
        if not newest:
            raise refused
        position = EventPosition.parse(newest[0][0])
        if position.version == feed.version:
            feed.buffer.confirm(position.live)
        else:
            log.info("live_events_fenced_off", execution_id=str(feed.execution_id))
            self._end(feed)
