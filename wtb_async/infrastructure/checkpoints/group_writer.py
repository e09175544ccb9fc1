"""Writes many calls' rows with one statement and one commit.

Each call joins the batch that the next free writer flushes, and returns after its COMMIT.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import asyncpg
import structlog

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryRow
from wtb_async.infrastructure.checkpoints.statements import (
    PUT_STATEMENT,
    PUT_WITH_BOUNDARIES_AGAIN_STATEMENT,
    PUT_WITH_BOUNDARIES_STATEMENT,
    REPLACE_WRITES_STATEMENT,
)

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 0.2

Connect = Callable[[], Awaitable[asyncpg.Connection]]
_REFUSED = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
)
"""What the rows themselves are to blame for; anything else is a matter of the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What one call wants committed; `replaces_writes` is about the writes of special channels."""

    blobs: Sequence[tuple[Any, ...]] = ()
    writes: Sequence[tuple[Any, ...]] = ()
    replaces_writes: bool = False
    checkpoint: tuple[Any, ...] | None = None
    boundaries: Sequence[BoundaryRow] = ()


@dataclass(frozen=True, slots=True)
class _Operation:
    """One call that waits for its commit."""

    rows: Rows
    done: asyncio.Future[None]


@dataclass(slots=True)
class _Queue:
    """Operations in arrival order, and a signal that somebody wants them flushed."""

    operations: deque[_Operation] = field(default_factory=deque)
    wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, limit: int) -> list[_Operation]:
        """Up to `limit` operations; the signal stays while some are left."""
        taken = [self.operations.popleft() for _ in range(min(limit, len(self.operations)))]
        if not self.operations:
            self.wanted.clear()
        return taken


class GroupWriter:
    """Commits rows in groups, over connections of its own.

    Args:
        connect: opens an asyncpg connection; each writer keeps one.
        writers: how many flushes may be under way. With one, all runs move in lockstep.
        batch: calls per flush at most.
        hold_seconds: rows that may wait do so this long for others to ride with.
        give_up_seconds: how long a flush is tried again while the database is away.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        writers: int,
        batch: int,
        hold_seconds: float,
        give_up_seconds: float,
    ) -> None:
        self._connect = connect
        self._writers = writers
        self._batch = batch
        self._hold_seconds = hold_seconds
        self._give_up_seconds = give_up_seconds
        self._loop = asyncio.get_running_loop()
        self._queue = _Queue()
        self._hold_timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._flush_forever(), name=f"checkpoint-writer-{number}")
            for number in range(self._writers)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the writers; calls that still wait for a commit fail."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        _fail(self._queue.operations, _closed())

    async def commit(self, rows: Rows, *, may_wait: bool = False) -> None:
        """Return after COMMIT.

        Raises:
            TransientError: the database was away for too long, or the writer was closed.
            asyncpg.PostgresError: Postgres refused these very rows.
        """
        operation = _Operation(rows, self._loop.create_future())
        self._queue.operations.append(operation)
        if not may_wait:
            self._queue.wanted.set()
        elif self._hold_timer is None:
            self._hold_timer = self._loop.call_later(self._hold_seconds, self._end_hold)
        await operation.done

    def _end_hold(self) -> None:
        self._hold_timer = None
        if self._queue.operations:
            self._queue.wanted.set()

    async def _flush_forever(self) -> None:
        connection: asyncpg.Connection | None = None
        batch: list[_Operation] = []
        try:
            while True:
                await self._queue.wanted.wait()
                if batch := self._queue.take(self._batch):
                    connection = await self._flush_until_done(connection, batch)
        finally:
            _fail(batch, _closed())
            if connection is not None:
                connection.terminate()

    async def _flush_until_done(
        self, connection: asyncpg.Connection | None, batch: list[_Operation]
    ) -> asyncpg.Connection | None:
        """Flush a batch, over a fresh connection if this one fails.

        The statements are idempotent, so a batch whose commit was cut is simply sent again.
        """
        deadline = self._loop.time() + self._give_up_seconds
        again = False
        while True:
            try:
                connection = connection or await self._connect()
                await self._flush(connection, batch, again=again)
            except asyncio.CancelledError:
                _fail(batch, _closed())
                raise
            except Exception as error:  # noqa: BLE001 - a writer that ends would leave all waiting
                log.warning("checkpoint_connection_lost", error=repr(error))
                if connection is not None:
                    connection.terminate()
                connection, again = None, True
                if self._loop.time() > deadline:
                    _fail(batch, TransientError(f"checkpoints could not be written: {error!r}"))
                    return None
                await asyncio.sleep(RECONNECT_SECONDS)
            else:
                return connection

    async def _flush(
        self, connection: asyncpg.Connection, batch: list[_Operation], *, again: bool
    ) -> None:
        """Commit a batch; a row that Postgres refuses fails its own operation only."""
        try:
            await _write(connection, batch, again=again)
        except _REFUSED as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            for operation in batch:
                await self._flush(connection, [operation], again=again)
            return
        for operation in batch:
            if not operation.done.done():
                operation.done.set_result(None)


async def _write(connection: asyncpg.Connection, batch: list[_Operation], *, again: bool) -> None:
    given = [operation.rows for operation in batch]
    blobs = [row for rows in given for row in rows.blobs]
    writes = [row for rows in given if not rows.replaces_writes for row in rows.writes]
    replaced = {
        (*row[:4], row[5]): row for rows in given if rows.replaces_writes for row in rows.writes
    }
    checkpoints = {rows.checkpoint[:3]: rows.checkpoint for rows in given if rows.checkpoint}
    boundaries = [row for rows in given for row in rows.boundaries]
    put = [*_columns(blobs, 6), *_columns(writes, 9), *_columns(checkpoints.values(), 6)]
    statement = PUT_STATEMENT
    if boundaries:
        statement = PUT_WITH_BOUNDARIES_AGAIN_STATEMENT if again else PUT_WITH_BOUNDARIES_STATEMENT
        put += _columns(boundaries, len(BoundaryRow._fields))
    if not replaced:
        await connection.fetch(statement, *put)
        return
    async with connection.transaction():
        await connection.fetch(REPLACE_WRITES_STATEMENT, *_columns(replaced.values(), 9))
        await connection.fetch(statement, *put)


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * width


def _closed() -> TransientError:
    return TransientError("the saver was closed before the commit")


def _fail(batch: Iterable[_Operation], error: Exception) -> None:
    for operation in batch:
        if not operation.done.done():
            operation.done.set_exception(error)
