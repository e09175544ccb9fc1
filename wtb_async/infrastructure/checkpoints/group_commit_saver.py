"""A LangGraph saver for many concurrent runs: stock tables and bytes, one commit for many calls.

The stock `AsyncPostgresSaver` takes a lock and a transaction per call. Here each call joins the
batch that the next free writer flushes with one `unnest` statement, and returns after its COMMIT.
Threads written by either are readable by the other.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from inspect import signature
from typing import Any, Self

import orjson
import psycopg
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

from wtb_async.domain.errors import RunGivenUp, TransientError
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryLog
from wtb_async.infrastructure.checkpoints.file_log import FileLink, FileLog
from wtb_async.infrastructure.checkpoints.group_writer import Connect, GroupWriter, WriterOptions
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer
from wtb_async.infrastructure.checkpoints.thread_head import HEAD_STATEMENT, ThreadHead
from wtb_async.infrastructure.checkpoints.write_queue import Rows
from wtb_async.infrastructure.langgraph.plain_json import NotStorable, check_scalar

_SCALARS = (str, int, float, bool)
_MOST_GIVEN_UP = 10_000
"""Nodes of runs that were cut off so long ago have ended."""

ReadPool = AsyncConnectionPool[AsyncConnection[DictRow]]


class GroupCommitSaver(AsyncPostgresSaver):
    """Saver whose writes commit in groups.

    Args:
        reads: psycopg pool for what the stock saver reads.
        connect: opens an asyncpg connection; each writer keeps one of its own.
        options: how calls are gathered into commits.
    """

    def __init__(
        self,
        reads: ReadPool,
        connect: Connect,
        options: WriterOptions,
    ) -> None:
        super().__init__(reads, serde=StrictSerializer())
        self.boundaries = BoundaryLog()
        self.files = FileLog()
        self._writer = GroupWriter(connect, options)
        self._new_threads: set[str] = set()
        self._heads: dict[str, str] = {}
        self._given_up: OrderedDict[str, None] = OrderedDict()

    async def __aenter__(self) -> Self:
        await self._writer.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the writers. Runs should have ended: calls that still wait for a commit fail."""
        await self._writer.__aexit__()

    def expect_new(self, thread_id: str) -> None:
        """Promise that this thread has no checkpoint, which spares the first look-up."""
        self._new_threads.add(thread_id)

    def forget(self, thread_id: str) -> str | None:
        """Drop what is remembered of a thread; answers its last root checkpoint."""
        self._new_threads.discard(thread_id)
        return self._heads.pop(thread_id, None)

    def give_up(self, thread_id: str) -> None:
        """Refuse what is still written to a thread, until another run begins on it.

        Nodes that are plain functions go on in their threads when their run was cut off.
        """
        self._given_up[thread_id] = None
        if len(self._given_up) > _MOST_GIVEN_UP:
            self._given_up.popitem(last=False)

    def begin(self, thread_id: str) -> None:
        """Take what is written to a thread from now on."""
        self._given_up.pop(thread_id, None)

    def _check_is_wanted(self, thread_id: str) -> None:
        if thread_id in self._given_up:
            raise RunGivenUp("the run has ended, or was given up when it did not end")

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint, or the newest one."""
        thread_id = config["configurable"]["thread_id"]
        if thread_id in self._new_threads and not get_checkpoint_id(config):
            self._new_threads.discard(thread_id)
            return None
        return await super().aget_tuple(config)

    async def _load_checkpoint_tuple(self, value: DictRow) -> CheckpointTuple:
        """Read a row without a thread: nodes that call a graph block theirs until it is read."""
        checkpoint, parent = value["checkpoint"], value["parent_checkpoint_id"]
        inline = checkpoint.get("channel_values") or {}
        blobs = self._load_blobs(value["channel_values"])
        return CheckpointTuple(
            config=_address(value, value["checkpoint_id"]),
            checkpoint=checkpoint | {"channel_values": {**inline, **blobs}},
            metadata=value["metadata"],
            parent_config=_address(value, parent) if parent else None,
            pending_writes=self._load_writes(value["pending_writes"]),
        )

    async def head(self, thread_id: str, edit_id: str | None = None) -> ThreadHead | None:
        """Where a thread stands, and whether an edit is part of it; None if it is empty."""
        async with self._cursor() as cursor:
            await cursor.execute(HEAD_STATEMENT, {"thread_id": thread_id, "edit_id": edit_id})
            row = await cursor.fetchone()
        if row is None:
            return None
        self._heads[thread_id] = row["checkpoint_id"]
        return ThreadHead(**row)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint; returns after COMMIT.

        Raises:
            NotStorable: it names the channel.
            RunGivenUp: nobody wants what this run writes any more.
        """
        configurable = config["configurable"]
        files = self.files.of(configurable["thread_id"])
        if files is None:
            return await self._put(config, checkpoint, metadata, new_versions)
        if namespace := configurable["checkpoint_ns"]:
            linking = files.with_inner(self._heads.get(files.thread_id), namespace)
        else:
            linking = files.with_checkpoint(checkpoint["id"])
        async with linking as links:
            return await self._put(config, checkpoint, metadata, new_versions, links)

    async def _put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        files: Sequence[FileLink] = (),
    ) -> RunnableConfig:
        await self._writer.room()
        configurable = config["configurable"]
        thread_id, namespace = configurable["thread_id"], configurable["checkpoint_ns"]
        self._check_is_wanted(thread_id)
        inline, blobs = self._split_values(thread_id, namespace, checkpoint, new_versions)
        row = (
            thread_id,
            namespace,
            checkpoint["id"],
            configurable.get("checkpoint_id"),
            orjson.dumps({**checkpoint, "channel_values": inline}).decode(),
            orjson.dumps(get_serializable_checkpoint_metadata(config, metadata)).decode(),
        )
        boundaries = self.boundaries.take(thread_id)
        given = Rows(blobs=blobs, checkpoint=row, boundaries=boundaries, files=files)
        await self._writer.commit(given)
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
        """Save what a task wrote; returns after COMMIT. Raises NotStorable, RunGivenUp."""
        configurable = config["configurable"]
        files = self.files.of(configurable["thread_id"])
        if files is None:
            await self._put_writes(config, writes, task_id, task_path)
            return
        is_inner = configurable["checkpoint_ns"] and not _is_special(writes)
        linking = files.with_inner if is_inner else files.with_task
        async with linking(self._heads.get(files.thread_id), task_id) as links:
            await self._put_writes(config, writes, task_id, task_path, links)

    async def _put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str,
        files: Sequence[FileLink] = (),
    ) -> None:
        await self._writer.room()
        configurable = config["configurable"]
        self._check_is_wanted(configurable["thread_id"])
        task = (
            configurable["thread_id"],
            configurable["checkpoint_ns"],
            configurable["checkpoint_id"],
            task_id,
            task_path,
        )
        try:
            rows = self._dump_writes(*task, writes)
        except TypeError:
            for channel, value in writes:
                self._dump(channel, value)
            raise
        replaces = _is_special(writes)
        boundaries = self.boundaries.take(configurable["thread_id"])
        given = Rows(writes=rows, replaces_writes=replaces, boundaries=boundaries, files=files)
        await self._writer.commit(given, may_wait=not replaces)

    async def write_boundaries(self, thread_id: str) -> None:
        """Commit the boundaries that nothing else took along; returns after COMMIT."""
        await self._writer.room()
        if rows := self.boundaries.take(thread_id):
            await self._writer.commit(Rows(boundaries=rows))

    def _dump(self, channel: str, value: object) -> tuple[str, bytes]:
        try:
            return self.serde.dumps_typed(value)
        except TypeError as error:
            raise NotStorable(channel, str(error)) from error

    def _split_values(
        self, thread_id: str, namespace: str, checkpoint: Checkpoint, versions: ChannelVersions
    ) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
        """Scalars stay in the checkpoint's row; the rest become blobs, if they changed.

        A member of a `StrEnum` or the like becomes a blob, where the stock saver leaves it in the
        row: from there it would come back as a plain string. Raises NotStorable.
        """
        inline: dict[str, Any] = {}
        blobs: list[tuple[Any, ...]] = []
        for channel, value in checkpoint["channel_values"].items():
            if value is None or type(value) in _SCALARS:
                check_scalar(value, channel)
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
                        *self._dump(channel, value),
                    )
                )
        return inline, blobs

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:  # noqa: ARG002 - the stock signature
        """A connection of its own for each read, where the stock saver takes turns on a lock."""
        assert isinstance(self.conn, AsyncConnectionPool)  # noqa: S101 - given by __init__
        try:
            connection = await self.conn.getconn()
            try:
                async with (
                    connection,
                    connection.cursor(binary=True, row_factory=dict_row) as cursor,
                ):
                    yield cursor
            finally:
                # A run that is cancelled at this very moment would lose the connection, and leave
                # the next one in the queue to wait for its whole timeout.
                await asyncio.shield(self.conn.putconn(connection))
        except psycopg.OperationalError as error:
            raise TransientError("checkpoints could not be read: no database") from error


# LangGraph asks for this signature at the start of every run; working it out takes 40 us.
GroupCommitSaver.aput_writes.__dict__["__signature__"] = signature(GroupCommitSaver.aput_writes)


def _is_special(writes: Sequence[tuple[str, Any]]) -> bool:
    """Whether these are errors, questions and the like, and nothing that a task has achieved."""
    return all(channel in WRITES_IDX_MAP for channel, _ in writes)


def _address(row: DictRow, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": row["thread_id"],
            "checkpoint_ns": row["checkpoint_ns"],
            "checkpoint_id": checkpoint_id,
        }
    }
