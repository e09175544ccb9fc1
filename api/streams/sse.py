"""Server-Sent Events: history first, then live, resumable by `Last-Event-ID`."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from uuid import UUID

from fastapi.responses import StreamingResponse

from api.answers import to_json
from api.streams.execution_events import ExecutionEvents
from api.streams.hub import EventHub
from wtb_async.application.clock import utc_now
from wtb_async.application.views import EventView, LiveEventView
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries
from wtb_async.infrastructure.postgres.queries.events import EventQueries

HEARTBEAT_SECONDS = 15.0
PROGRESS_SECONDS = 0.2
CHUNK = 200


class EventStream(StreamingResponse):
    """Server-Sent Events."""

    media_type = "text/event-stream"


def event_stream(frames: AsyncIterator[bytes]) -> EventStream:
    """A response that no proxy may buffer."""
    return EventStream(frames, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def execution_history(events: ExecutionEvents, hub: EventHub) -> AsyncIterator[bytes]:
    """Every event of an execution after a position, and those still to come."""
    with hub.watch(events.execution_id) as news:
        while True:
            news.clear()
            chunk = await events.next_chunk(CHUNK)
            for position, event in chunk:
                yield _frame(str(position), event)
            if not chunk:
                yield await _heartbeat_or(news)


async def batch_history(
    batch_id: UUID,
    after: int,
    *,
    hub: EventHub,
    events: EventQueries,
    batches: BatchTestQueries,
) -> AsyncIterator[bytes]:
    """The events of a batch test, with its progress in between whenever it has changed.

    Progress is counted a few times a second at most; the batch's own events never wait for that.
    """
    shown: object = None
    counted_at = -math.inf
    with hub.watch(batch_id) as news:
        while True:
            news.clear()
            chunk = await events.since(batch_id, after, limit=CHUNK)
            early = counted_at + PROGRESS_SECONDS - time.monotonic()
            if chunk or early <= 0:
                counted_at = time.monotonic()
                progress = await batches.progress(batch_id)
                if progress != shown:
                    shown = progress
                    counts, scored = progress
                    yield _progress(batch_id, {"counts": asdict(counts), "scored": scored})
            for event in chunk:
                yield _frame(str(event.id), event)
                after = event.id
            if early > 0 and not chunk:
                await _heard(news, early)
            elif not chunk:
                yield await _heartbeat_or(news)


def _frame(position: str, event: EventView | LiveEventView) -> bytes:
    """One event on the wire; the position in its `id:` line is where a broken stream goes on."""
    envelope = {name: value for name, value in asdict(event).items() if value is not None}
    kind = event.type.encode()
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (position.encode(), kind, to_json(envelope))


def _progress(batch_id: UUID, data: object) -> bytes:
    """Progress has no place in the history: it carries no `id:` line, so it is never resumed at."""
    envelope = {
        "id": 0,
        "type": "BatchProgress",
        "at": utc_now(),
        "batch_test_id": batch_id,
        "data": data,
    }
    return b"event: BatchProgress\ndata: %s\n\n" % to_json(envelope)


async def _heartbeat_or(news: asyncio.Event) -> bytes:
    """Wait for news; a comment line keeps the connection open meanwhile."""
    return b"" if await _heard(news, HEARTBEAT_SECONDS) else b": still here\n\n"


async def _heard(news: asyncio.Event, seconds: float) -> bool:
    """Wait for news, but not longer; tells whether there are some."""
    try:
        await asyncio.wait_for(news.wait(), seconds)
    except TimeoutError:
        return False
    return True
