"""What became of one input: its timelines, where they forked, and the branches that left them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from uuid import UUID

from wtb_async.sdk.models import Answer, Checkpoint, Execution

READS_AT_ONCE = 8

ReadExecution = Callable[[Execution], Awaitable[tuple[list[Checkpoint], list[Execution]]]]
"""Reads the checkpoints of an execution, newest first, and its branches."""


class Timeline(Answer):
    """The checkpoints that were written on one thread, oldest first.

    `forked_from` is the checkpoint of another timeline that it goes on from, if it does.
    """

    thread_id: UUID
    forked_from: str | None
    is_current: bool
    checkpoints: tuple[Checkpoint, ...]


class ExecutionTree(Answer):
    """One execution with its timelines, and the executions that branched off it.

    `begins_at` is the checkpoint at which it branched off the execution above it.
    """

    execution: Execution
    begins_at: str | None
    timelines: tuple[Timeline, ...]
    branches: tuple["ExecutionTree", ...]


async def read_tree(root: Execution, read: ReadExecution) -> ExecutionTree:
    """Read an execution and everything that branched off it, some of it at the same time."""
    places = asyncio.Semaphore(READS_AT_ONCE)

    async def grow(execution: Execution, above: Collection[str]) -> ExecutionTree:
        async with places:
            checkpoints, branches = await read(execution)
        ids = {each.checkpoint_id for each in checkpoints}
        own = [each for each in checkpoints if each.checkpoint_id not in above]
        return ExecutionTree(
            execution=execution,
            begins_at=max(ids.intersection(above), default=None),
            timelines=tuple(_timelines(execution, reversed(own))),
            branches=tuple(await asyncio.gather(*(grow(each, ids) for each in branches))),
        )

    return await grow(root, ())


def _timelines(execution: Execution, oldest_first: Iterable[Checkpoint]) -> Iterable[Timeline]:
    by_thread: dict[UUID, list[Checkpoint]] = {}
    for checkpoint in oldest_first:
        by_thread.setdefault(checkpoint.thread_id, []).append(checkpoint)
    for thread_id, checkpoints in by_thread.items():
        yield Timeline(
            thread_id=thread_id,
            forked_from=checkpoints[0].parent_checkpoint_id,
            is_current=thread_id == execution.thread_id,
            checkpoints=tuple(checkpoints),
        )
    if execution.thread_id is not None and execution.thread_id not in by_thread:
        yield Timeline(
            thread_id=execution.thread_id,
            forked_from=execution.checkpoint_id,
            is_current=True,
            checkpoints=(),
        )
