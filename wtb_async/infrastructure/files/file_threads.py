"""Blocking file work, off the event loop and not more of it at a time than does good."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

THREAD_NAME = "files"

Item = TypeVar("Item")
Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class FileThreads:
    """A bounded pool of threads for files, apart from those in which nodes run."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=THREAD_NAME)

    async def run(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Do this in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    async def map(self, work: Callable[[Item], Result], items: Collection[Item]) -> list[Result]:
        """Do this with each item, in all threads; answers the results in the items' order.

        After the first error, or when it is cancelled, nothing more is begun.
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

        try:
            await asyncio.gather(*(self.run(work_off) for _ in range(min(self._count, len(left)))))
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
