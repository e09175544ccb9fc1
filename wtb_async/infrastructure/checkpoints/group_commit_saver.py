"""A LangGraph saver for many concurrent runs: stock tables and bytes, one commit for many calls.

The stock `AsyncPostgresSaver` takes a lock and a transaction per call. Here each call joins the
batch that the next free writer flushes with one `unnest` statement, and returns after its COMMIT.
Threads written by either are readable by the other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import asyncpg
import orjson
import psycopg
import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryLog, BoundaryRow
from wtb_async.infrastructure.checkpoints.statements import (
    PUT_STATEMENT,
    PUT_WITH_BOUNDARIES_AGAIN_STATEMENT,
    PUT_WITH_BOUNDARIES_STATEMENT,
    REPLACE_WRITES_STATEMENT,
)

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 0.2

_NEWEST = "SELECT max(checkpoint_id) AS newest FROM checkpoints WHERE thread_id = %s"

Connect = Callable[[], Awaitable[asyncpg.Connection]]
ReadPool = AsyncConnectionPool[AsyncConnection[DictRow]]
_REFUSED = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
)
"""What the rows themselves are to blame for; anything else is a matter of the connection."""


@dataclass(slots=True)
class _Operation:
    """One call that waits for its commit."""

    done: asyncio.Future[None]
    blobs: Sequence[tuple[Any, ...]] = ()
    writes: Sequence[tuple[Any, ...]] = ()
    replaces_writes: bool = False
    checkpoint: tuple[Any, ...] | None = None
    boundaries: Sequence[BoundaryRow] = ()


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


class GroupCommitSaver(AsyncPostgresSaver):
    """Saver whose writes commit in groups.

    Args:
        reads: psycopg pool for what the stock saver reads.
        connect: opens an asyncpg connection; each writer keeps one of its own.
        writers: how many flushes may be under way. With one, all runs move in lockstep.
        batch: operations per flush at most.
        hold_seconds: task writes wait this long for the next checkpoint to ride with.
        give_up_seconds: how long a flush is tried again while the database is away.
    """

    def __init__(
        self,
        reads: ReadPool,
        connect: Connect,
        *,
        writers: int = 2,
        batch: int = 32,
        hold_seconds: float = 0.002,
        give_up_seconds: float = 30.0,
    ) -> None:
        super().__init__(reads)
        self.boundaries = BoundaryLog()
        self._connect = connect
        self._batch = batch
        self._hold_seconds = hold_seconds
        self._give_up_seconds = give_up_seconds
        self._writers = writers
        self._queue = _Queue()
        self._hold_timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._new_threads: set[str] = set()
        self._heads: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._flush_forever(), name=f"checkpoint-writer-{number}")
            for number in range(self._writers)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the writers. Runs should have ended: calls that still wait for a commit fail."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        _fail(self._queue.operations, _closed())

    def expect_new(self, thread_id: str) -> None:
        """Promise that this thread has no checkpoint, which spares the first look-up."""
        self._new_threads.add(thread_id)

    def forget(self, thread_id: str) -> str | None:
        """Drop what is remembered of a thread; answers the last root checkpoint written."""
        self._new_threads.discard(thread_id)
        return self._heads.pop(thread_id, None)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint, or the newest one."""
        thread_id = config["configurable"]["thread_id"]
        if thread_id in self._new_threads and not get_checkpoint_id(config):
            self._new_threads.discard(thread_id)
            return None
        return await super().aget_tuple(config)

    async def newest_checkpoint_id(self, thread_id: str) -> str | None:
        """The newest id on a thread, of the graph itself or of a subgraph; None if it is empty."""
        async with self._cursor() as cursor:
            await cursor.execute(_NEWEST, (thread_id,))
            row = await cursor.fetchone()
        return None if row is None else row["newest"]

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint; returns after COMMIT."""
        configurable = config["configurable"]
        thread_id, namespace = configurable["thread_id"], configurable["checkpoint_ns"]
        inline, blobs = self._split_values(thread_id, namespace, checkpoint, new_versions)
        row = (
            thread_id,
            namespace,
            checkpoint["id"],
            configurable.get("checkpoint_id"),
            orjson.dumps({**checkpoint, "channel_values": inline}).decode(),
            orjson.dumps(get_serializable_checkpoint_metadata(config, metadata)).decode(),
        )
        await self._committed(
            _Operation(
                self._future(),
                blobs=blobs,
                checkpoint=row,
                boundaries=self.boundaries.take(thread_id),
            )
        )
        if namespace == "":
            self._heads[thread_id] = checkpoint["id"]
        return {
            "configurable": {
                "thread_id": thread_id,
                "checkpoint_ns": namespace,
                "checkpoint_id": checkpoint["id"],
            }
        }

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a task wrote; returns after COMMIT."""
        configurable = config["configurable"]
        rows = self._dump_writes(
            configurable["thread_id"],
            configurable["checkpoint_ns"],
            configurable["checkpoint_id"],
            task_id,
            task_path,
            writes,
        )
        replaces = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        operation = _Operation(
            self._future(),
            writes=rows,
            replaces_writes=replaces,
            boundaries=self.boundaries.take(configurable["thread_id"]),
        )
        await self._committed(operation, may_wait=not replaces)

    async def write_boundaries(self, thread_id: str) -> None:
        """Commit the boundaries that nothing else took along; returns after COMMIT."""
        if rows := self.boundaries.take(thread_id):
            await self._committed(_Operation(self._future(), boundaries=rows))

    def _split_values(
        self, thread_id: str, namespace: str, checkpoint: Checkpoint, versions: ChannelVersions
    ) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
        """Scalars stay in the checkpoint's row; the rest become blobs, if they changed."""
        inline: dict[str, Any] = {}
        blobs: list[tuple[Any, ...]] = []
        for channel, value in checkpoint["channel_values"].items():
            if value is None or isinstance(value, str | int | float | bool):
                inline[channel] = value
                continue
            if isinstance(value, _DeltaSnapshot):
                inline[channel] = True
            if channel in versions:
                blobs.append(
                    (
                        thread_id,
                        namespace,
                        channel,
                        str(versions[channel]),
                        *self.serde.dumps_typed(value),
                    )
                )
        return inline, blobs

    def _future(self) -> asyncio.Future[None]:
        return self.loop.create_future()

    async def _committed(self, operation: _Operation, *, may_wait: bool = False) -> None:
        """Queue an operation and wait for its commit."""
        self._queue.operations.append(operation)
        if not may_wait:
            self._queue.wanted.set()
        elif self._hold_timer is None:
            self._hold_timer = self.loop.call_later(self._hold_seconds, self._end_hold)
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
        deadline = self.loop.time() + self._give_up_seconds
        again = False
        while True:
            try:
                connection = connection or await self._connect()
                await self._flush(connection, batch, again=again)
            except asyncio.CancelledError:
                _fail(batch, TransientError("the saver was closed before the commit"))
                raise
            except Exception as error:  # noqa: BLE001 - a writer that ends would leave all waiting
                log.warning("checkpoint_connection_lost", error=repr(error))
                if connection is not None:
                    connection.terminate()
                connection, again = None, True
                if self.loop.time() > deadline:
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

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:  # noqa: ARG002 - the stock signature
        """A connection of its own for each read, where the stock saver takes turns on a lock."""
        assert isinstance(self.conn, AsyncConnectionPool)  # noqa: S101 - given by __init__
        try:
            async with (
                self.conn.connection() as connection,
                connection.cursor(binary=True, row_factory=dict_row) as cursor,
            ):
                yield cursor
        except psycopg.OperationalError as error:
            raise TransientError("checkpoints could not be read: no database") from error


async def _write(connection: asyncpg.Connection, batch: list[_Operation], *, again: bool) -> None:
    blobs = [row for operation in batch for row in operation.blobs]
    writes = [row for op in batch if not op.replaces_writes for row in op.writes]
    replaced = {(*row[:4], row[5]): row for op in batch if op.replaces_writes for row in op.writes}
    checkpoints = {op.checkpoint[:3]: op.checkpoint for op in batch if op.checkpoint}
    boundaries = [row for operation in batch for row in operation.boundaries]
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
