"""Blocking file work, off the event loop and not more of it at a time than does good."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar, TypeVarTuple

Item = TypeVar("Item")
Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

BRIEF_SECONDS = 0.05
"""What should be over sooner than this, the event loop can wait for."""
SLOW_SECONDS = 10.0
"""For so long after it took more, it is left to threads."""


class FileThreads:
    """A bounded pool of threads for files, apart from those in which nodes run."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="files")
        self._slow_until = 0.0

    async def run(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Do this in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    async def run_briefly(
        self, work: Callable[[*Arguments], Result], *arguments: *Arguments
    ) -> Result:
        """Do what is a few dozen system calls: at once, as long as the disk is quick.

        A thread would give up the interpreter's lock at each of them and wait for it again, which
        costs several times what the work does.
        """
        began = monotonic()
        if began < self._slow_until:
            return await self.run(work, *arguments)
        try:
            return work(*arguments)
        finally:
            ended = monotonic()
            if ended - began > BRIEF_SECONDS:
                self._slow_until = ended + SLOW_SECONDS

    async def map(
        self, work: Callable[[Item], Result], items: Collection[Item], *, together: int = 1
    ) -> list[Result]:
        """Do this with each item, in many threads; answers the results in the items' order.

        After the first error, or when it is cancelled, nothing more is begun.

        Args:
            work: what is done.
            items: with these.
            together: so many are worth a thread of their own, where one takes less time than to
                ask a thread for it.
        """
        left = deque(enumerate(items))
        results: dict[int, Result] = {}

        def work_off() -> None:
            while left:
                try:
                    number, item = left.popleft()
                except IndexError:  # Another thread has taken the last one.
                    return
                results[number] = work(item)

        threads = min(self._count, -(-len(left) // together))
        try:
            await asyncio.gather(*(self.run(work_off) for _ in range(threads)))
        finally:
            left.clear()
        return [results[number] for number in range(len(items))]

    async def iterate(self, items: Iterator[Item]) -> AsyncIterator[Item]:
        """Take these one by one, each in a thread."""
        while (item := await self.run(next, items, None)) is not None:
            yield item

    def close(self) -> None:
        """Wait for what is being done, and end the threads."""
        self._pool.shutdown()
