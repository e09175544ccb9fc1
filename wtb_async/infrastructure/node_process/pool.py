"""The processes of one runner's nodes: how many there are, and which wait for their next call."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.node_process.address import NodeAddress
from wtb_async.infrastructure.node_process.messages import Messages
from wtb_async.infrastructure.node_process.process import NodeProcess


class NodeProcesses:
    """Lends each call a process of its node that nobody else uses; keeps it for the next.

    Args:
        most: processes at the same time; calls wait for one.
        idle_seconds: a process that has no call for this long is ended.
        start_seconds: how long a process may take to load its node.
    """

    def __init__(self, *, most: int, idle_seconds: float, start_seconds: float) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._start_seconds = start_seconds
        self._room = asyncio.Semaphore(most)
        self._beginning = 0
        self._waiting: dict[NodeProcess, asyncio.TimerHandle] = {}
        self._at_work: set[NodeProcess] = set()
        self._endings: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all of them, at work or not."""
        self._is_closed = True
        for process in [*self._waiting, *self._at_work]:
            self._end(process)
        while self._endings:
            await asyncio.wait(self._endings)

    @asynccontextmanager
    async def lend(self, address: NodeAddress, messages: Messages) -> AsyncIterator[NodeProcess]:
        """A process of this node for one call.

        One that is not ready again at the end of the block is ended with all that it has started.

        Raises:
            InvalidInput: the node does not load in a process of its own.
            NodeProcessDied: loading it ended the process.
        """
        async with self._room:
            with self._counted():
                process = self._take(address, messages) or await self._begin(address, messages)
            self._at_work.add(process)
            try:
                if not process.is_ready:
                    await self._load(process)
                yield process
            finally:
                self._at_work.discard(process)
                self._put_back(process)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a process that is only about to be there."""
        self._beginning += 1
        try:
            yield
        finally:
            self._beginning -= 1

    def _take(self, address: NodeAddress, messages: Messages) -> NodeProcess | None:
        """The process of this node that was used last.

        The types that may travel differ with the variants of other nodes.
        """
        wanted = (address, messages.terms)
        for process in reversed(self._waiting):
            if process.is_ready and (process.address, process.messages.terms) == wanted:
                self._waiting.pop(process).cancel()
                return process
        return None

    async def _begin(self, address: NodeAddress, messages: Messages) -> NodeProcess:
        """A new process; the one that has waited longest gives way if there are too many."""
        if self._beginning + len(self._at_work) + len(self._waiting) > self._most:
            self._end(next(iter(self._waiting)))
        beginning = asyncio.create_task(NodeProcess.begin(address, messages))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            self._finish(self._abandon(beginning))
            raise

    async def _load(self, process: NodeProcess) -> None:
        try:
            async with asyncio.timeout(self._start_seconds):
                await process.load()
        except TimeoutError as error:
            node = process.address.node
            message = f"loading {node!r} in a process took longer than {self._start_seconds:g} s"
            raise InvalidInput.of("graph", message) from error

    async def _abandon(self, beginning: asyncio.Task[NodeProcess]) -> None:
        self._end(await beginning)

    def _put_back(self, process: NodeProcess) -> None:
        if self._is_closed or not process.is_ready:
            return self._end(process)
        timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._end, process)
        self._waiting[process] = timer
        return None

    def _end(self, process: NodeProcess) -> None:
        if timer := self._waiting.pop(process, None):
            timer.cancel()
        process.kill()
        self._finish(process.close())

    def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
