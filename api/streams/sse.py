"""Server-Sent Events: history first, then live, resumable by `Last-Event-ID`."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress

import structlog
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.types import Message, Send

from api.streams.following import Source, follow
from api.streams.frames import Closed, Frame, closed_frame, last_position
from api.streams.hub import EventHub
from api.streams.patience import TooSlow, within
from wtb_async.domain.errors import TransientError

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
_PIECE_BYTES = 64 * 1024
_HEARTBEAT = b": still here\n\n"
# No proxy may keep any of it back.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """A source's frames as Server-Sent Events, for as long as the reader keeps up."""

    media_type = "text/event-stream"

    def __init__(self, source: Source, hub: EventHub, *, patience: float) -> None:
        """Give the reader so many seconds to take each chunk."""
        self._source = source
        self._hub = hub
        self._patience = patience
        self._taken = source.position
        self._pieces = self._encoded()
        super().__init__(self._pieces, headers=_HEADERS)

    async def stream_response(self, send: Send) -> None:
        """Send until the reader leaves or falls behind, or there is nothing to read from."""

        async def send_in_time(message: Message) -> None:
            await within(self._patience, send(message))

        async with aclosing(self._pieces):
            try:
                await super().stream_response(send_in_time)
            except TooSlow:
                await self._close(send_in_time, Closed.SLOW_READER)
            except (TransientError, PoolTimeout):
                await self._close(send_in_time, Closed.UNAVAILABLE)

    async def _encoded(self) -> AsyncGenerator[bytes]:
        turn = asyncio.Lock()
        chunks = follow(self._source, self._hub, turn=turn, idle_seconds=HEARTBEAT_SECONDS)
        async with aclosing(chunks):
            async for chunk in chunks:
                if not chunk:
                    yield _HEARTBEAT
                for frames in _pieces(chunk):
                    yield b"".join(map(_lines, frames))
                    # More is asked for, so this was taken.
                    self._taken = last_position(frames) or self._taken

    async def _close(self, send: Send, why: Closed) -> None:
        """Say where to go on, if that is still taken."""
        subject = self._source.subject
        log.info("stream_closed", reason=why.value, **{subject.field: str(subject.id)})
        last = _lines(closed_frame(subject, self._taken, why))
        with suppress(TooSlow):
            await send({"type": "http.response.body", "body": last, "more_body": False})


def _pieces(chunk: Sequence[Frame]) -> Iterator[list[Frame]]:
    """As much at a time as a server lets wait in its buffers anyway."""
    piece: list[Frame] = []
    size = 0
    for frame in chunk:
        piece.append(frame)
        size += len(frame.envelope)
        if size >= _PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _lines(frame: Frame) -> bytes:
    """One event; a frame without a place in the history has no `id:` line to resume at."""
    id_line = f"id: {frame.position}\n".encode() if frame.position else b""
    return b"%sevent: %s\ndata: %s\n\n" % (id_line, frame.type.encode(), frame.envelope)
