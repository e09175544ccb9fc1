"""Work that goes on beside the caller, and may not end before it is told to."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class BackgroundBroken(RuntimeError):
    """Work in the background ended with an error that nobody had foreseen."""


class Background:
    """Tasks that live as long as a block; a failure of one of them ends the block.

    Other than with a task group, an error of the block itself stays as it is.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._owner: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        return self

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin with something that goes on until the end of the block."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._failure is not None and self._owner is not None:
            self._owner.uncancel()
        self._owner = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None:
            raise BackgroundBroken(repr(self._failure)) from self._failure

    def _on_done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (failure := task.exception()) is None:
            return
        self._failure = failure
        if self._owner is not None:
            self._owner.cancel()
