"""Writes many calls' rows with one statement and one commit.

Each call joins the batch that the next free writer flushes, and returns after its COMMIT.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import asyncpg
import structlog

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryRow
from wtb_async.infrastructure.checkpoints.file_log import NO_FILES, FileLink, WorkspaceRow
from wtb_async.infrastructure.checkpoints.statements import (
    PUT_STATEMENT,
    PUT_WITH_BOUNDARIES_AGAIN_STATEMENT,
    PUT_WITH_BOUNDARIES_STATEMENT,
    PUT_WITH_FILES_AGAIN_STATEMENT,
    PUT_WITH_FILES_STATEMENT,
    REPLACE_WRITES_STATEMENT,
)
from wtb_async.infrastructure.checkpoints.write_queue import (
    Operation,
    QueueLimits,
    Rows,
    WriteQueue,
    closed,
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
class WriterOptions(QueueLimits):
    """How calls are gathered into commits."""

    writers: int = 2
    """Flushes that may be under way. With one, all runs move in lockstep."""
    hold_seconds: float = 0.002
    """Rows that may wait do so this long for others to ride with."""
    give_up_seconds: float = 30.0
    """How long a flush is tried again while the database is away."""


class _Line:
    """One writer's connection, opened anew after it was dropped."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None

    async def connection(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await self._connect()
        return self._connection

    def drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


class GroupWriter:
    """Commits rows in groups, over connections of its own.

    Args:
        connect: opens an asyncpg connection; each writer keeps one.
        options: sizes and times.
    """

    def __init__(self, connect: Connect, options: WriterOptions) -> None:
        self._connect = connect
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._queue = WriteQueue(options)
        self._hold_timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._flush_forever(), name=f"checkpoint-writer-{number}")
            for number in range(self._options.writers)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the writers; calls that still wait for a commit fail."""
        self._queue.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def room(self) -> Awaitable[None]:
        """Wait until there is room for one more call, which must `commit` at once."""
        return self._queue.room()

    async def commit(self, rows: Rows, *, may_wait: bool = False) -> None:
        """Return after COMMIT.

        Raises:
            TransientError: the database was away for too long, or the writer was closed.
            asyncpg.PostgresError: Postgres refused these very rows.
        """
        operation = self._queue.put(rows)
        if not may_wait:
            self._queue.flush()
        elif self._hold_timer is None:
            self._hold_timer = self._loop.call_later(self._options.hold_seconds, self._end_hold)
        await operation.done

    def _end_hold(self) -> None:
        self._hold_timer = None
        self._queue.flush()

    async def _flush_forever(self) -> None:
        line = _Line(self._connect)
        try:
            while True:
                batch = await self._queue.take()
                try:
                    await self._flush_until_done(line, batch)
                finally:
                    _fail(batch, closed())
                    self._queue.release(batch)
        finally:
            line.drop()

    async def _flush_until_done(self, line: _Line, batch: Sequence[Operation]) -> None:
        """Flush a batch, over a fresh connection if this one fails.

        The statements are idempotent, so a batch whose commit was cut is simply sent again.
        """
        deadline = self._loop.time() + self._options.give_up_seconds
        again = False
        while True:
            try:
                await _flush(await line.connection(), batch, again=again)
            except Exception as error:  # noqa: BLE001 - a writer that ends would leave all waiting
                log.warning("checkpoint_connection_lost", error=repr(error))
                line.drop()
                again = True
                if self._loop.time() > deadline:
                    _fail(batch, TransientError(f"checkpoints could not be written: {error!r}"))
                    return
                await asyncio.sleep(RECONNECT_SECONDS)
            else:
                return


async def _flush(
    connection: asyncpg.Connection, batch: Sequence[Operation], *, again: bool
) -> None:
    """Commit a batch; a row that Postgres refuses fails its own operation only."""
    try:
        await _write(connection, [operation.rows for operation in batch], again=again)
    except _REFUSED as error:
        if len(batch) == 1:
            batch[0].fail(error)
            return
        for operation in batch:
            await _flush(connection, [operation], again=again)
    else:
        for operation in batch:
            operation.succeed()


async def _write(connection: asyncpg.Connection, given: Sequence[Rows], *, again: bool) -> None:
    blobs = [row for rows in given for row in rows.blobs]
    writes = [row for rows in given if not rows.replaces_writes for row in rows.writes]
    replaced = {
        (*row[:4], row[5]): row for rows in given if rows.replaces_writes for row in rows.writes
    }
    checkpoints = {rows.checkpoint[:3]: rows.checkpoint for rows in given if rows.checkpoint}
    boundaries = [row for rows in given for row in rows.boundaries]
    put = [*_columns(blobs, 6), *_columns(writes, 9), *_columns(checkpoints.values(), 6)]
    statement = PUT_STATEMENT
    if files := _file_columns(given):
        statement = PUT_WITH_FILES_AGAIN_STATEMENT if again else PUT_WITH_FILES_STATEMENT
        put += [*_columns(boundaries, len(BoundaryRow._fields)), *files]
    elif boundaries:
        statement = PUT_WITH_BOUNDARIES_AGAIN_STATEMENT if again else PUT_WITH_BOUNDARIES_STATEMENT
        put += _columns(boundaries, len(BoundaryRow._fields))
    if not replaced:
        await connection.fetch(statement, *put)
        return
    async with connection.transaction():
        await connection.fetch(REPLACE_WRITES_STATEMENT, *_columns(replaced.values(), 9))
        await connection.fetch(statement, *put)


def _file_columns(given: Sequence[Rows]) -> list[Sequence[Any]]:
    """Of links and workspaces, the last of each; nothing when there are none."""
    files = [rows.files for rows in given if rows.files is not NO_FILES]
    links = {link[:3]: link for each in files for link in each.links}
    workspaces = {row[:2]: row for each in files for row in each.workspaces}
    if not links and not workspaces:
        return []
    return [
        *_columns(links.values(), len(FileLink._fields)),
        *_columns(workspaces.values(), len(WorkspaceRow._fields)),
    ]


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * width


def _fail(batch: Iterable[Operation], error: Exception) -> None:
    for operation in batch:
        operation.fail(error)
