"""Calls that wait for their commit: in order, and no more at a time than fit."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryRow
from wtb_async.infrastructure.checkpoints.file_log import NO_FILES, FileRows


@dataclass(slots=True, kw_only=True)
class Rows:
    """What one call wants committed; `replaces_writes` is about the writes of special channels."""

    blobs: Sequence[tuple[Any, ...]] = ()
    writes: Sequence[tuple[Any, ...]] = ()
    replaces_writes: bool = False
    checkpoint: tuple[Any, ...] | None = None
    boundaries: Sequence[BoundaryRow] = ()
    files: FileRows = NO_FILES

    def count_bytes(self) -> int:
        """The size of the values; all else in a row is short."""
        size = 0 if self.checkpoint is None else len(self.checkpoint[4])
        for row in self.blobs:
            size += len(row[-1])
        for row in self.writes:
            size += len(row[-1])
        for boundary in self.boundaries:
            size += len(boundary.input) + len(boundary.output or "")
        return size


@dataclass(slots=True)
class Operation:
    """One call that waits for its commit."""

    rows: Rows
    size: int
    done: asyncio.Future[None]

    def succeed(self) -> None:
        """Let the call return, unless it was cancelled."""
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """Let the call raise, unless it is over."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """How much may be under way."""

    batch: int = 32
    """Operations per flush at most."""
    batch_bytes: int = 8 << 20
    """A flush stops before it gets larger; an operation that is larger by itself goes alone."""
    pending: int = 1024
    """Operations that may wait or be flushed; further calls wait for room."""
    pending_bytes: int = 64 << 20
    """Bytes of values that may wait or be flushed, exceeded by one operation at most."""


@dataclass(slots=True)
class WriteQueue:
    """Operations in arrival order; a call asks for room before it makes its rows.

    Values are serialised only when there is room, so that callers who wait hold no copies.
    """

    limits: QueueLimits
    _operations: deque[Operation] = field(default_factory=deque)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _callers: int = 0
    _pending: int = 0
    _pending_bytes: int = 0
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._room.set()

    async def room(self) -> None:
        """Return when there is room, in the order of the calls; `put` must follow at once."""
        if self._room.is_set() and not self._callers:
            return
        self._callers += 1
        try:
            async with self._turn:
                await self._room.wait()
        finally:
            self._callers -= 1

    def put(self, rows: Rows) -> Operation:
        """Add what one call wants written. Raises TransientError when closed."""
        if self._is_closed:
            raise closed()
        done = asyncio.get_running_loop().create_future()
        operation = Operation(rows, rows.count_bytes(), done)
        self._operations.append(operation)
        self._pending += 1
        self._pending_bytes += operation.size
        if self._is_full():
            self._room.clear()
        return operation

    def flush(self) -> None:
        """Let the next free writer take what there is."""
        if self._operations:
            self._wanted.set()

    async def take(self) -> list[Operation]:
        """The next batch that somebody wants flushed; it keeps its room until it is released."""
        while True:
            await self._wanted.wait()
            batch = self._next_batch()
            if not self._operations:
                self._wanted.clear()
            if batch:
                return batch

    def release(self, batch: Sequence[Operation]) -> None:
        """Give the room of a batch to others."""
        self._pending -= len(batch)
        self._pending_bytes -= sum(operation.size for operation in batch)
        if not self._is_full():
            self._room.set()

    def close(self) -> None:
        """Fail the calls that wait, and all later ones."""
        self._is_closed = True
        self._room.set()
        for operation in self._operations:
            operation.fail(closed())

    def _next_batch(self) -> list[Operation]:
        batch: list[Operation] = []
        room = self.limits.batch_bytes
        while self._operations and len(batch) < self.limits.batch:
            room -= self._operations[0].size
            if room < 0 and batch:
                break
            batch.append(self._operations.popleft())
        return batch

    def _is_full(self) -> bool:
        limits = self.limits
        return self._pending >= limits.pending or self._pending_bytes >= limits.pending_bytes


def closed() -> TransientError:
    """What calls raise that a closed saver leaves unwritten."""
    return TransientError("the saver was closed before the commit")
