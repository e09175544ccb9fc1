"""Work that serves all who asked for it before it began."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class JoinedWork(Generic[Result]):
    """Does the same thing again and again, never twice at a time.

    Who asks while it is being done gets the next result: the present one may be of a time before
    the question. All who wait for the next one share it.
    """

    def __init__(self, work: Callable[[], Awaitable[Result]]) -> None:
        self._work = work
        self._present: asyncio.Task[Result] | None = None
        self._next: asyncio.Task[Result] | None = None

    async def result(self) -> Result:
        """What the work comes to that begins after this call. Raises what it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._present))
        # One who gives up does not take it from the others.
        return await asyncio.shield(self._next)

    async def _after(self, present: asyncio.Task[Result] | None) -> Result:
        if present is not None:
            await asyncio.wait([present])
        self._present, self._next = self._next, None
        return await self._work()
