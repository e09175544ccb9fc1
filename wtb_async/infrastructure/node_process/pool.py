"""The processes of one runner's nodes: how many there are, and which wait for their next call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

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
        self._waiting: dict[NodeProcess, asyncio.TimerHandle] = {}
        self._at_work: set[NodeProcess] = set()
        self._ending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all of them, at work or not."""
        for process in [*self._waiting, *self._at_work]:
            self._end(process)
        while self._ending:
            await asyncio.wait(self._ending)

    @asynccontextmanager
    async def lend(self, address: NodeAddress, messages: Messages) -> AsyncIterator[NodeProcess]:
        """A process of this node for one call.

        One that is not ready again at the end of the block is ended with all that it has started.

        Raises:
            InvalidInput: the node does not load in a process of its own.
            NodeProcessDied: loading it ended the process.
        """
        async with self._room:
            process = self._take(address) or await self._start(address, messages)
            self._at_work.add(process)
            try:
                yield process
            finally:
                self._at_work.discard(process)
                self._put_back(process)

    def _take(self, address: NodeAddress) -> NodeProcess | None:
        """The process of this node that was used last."""
        for process in reversed(self._waiting):
            if process.address == address and process.is_ready:
                self._waiting.pop(process).cancel()
                return process
        return None

    def _put_back(self, process: NodeProcess) -> None:
        if not process.is_ready:
            return self._end(process)
        timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._end, process)
        self._waiting[process] = timer
        return None

    async def _start(self, address: NodeAddress, messages: Messages) -> NodeProcess:
        if len(self._waiting) + len(self._at_work) >= self._most:
            self._end(next(iter(self._waiting)))
        process = await NodeProcess.begin(address)
        try:
            async with asyncio.timeout(self._start_seconds):
                await process.load(messages)
        except TimeoutError as error:
            self._end(process)
            message = f"loading {address.node!r} took longer than {self._start_seconds:g} s"
            raise InvalidInput.of("graph", message) from error
        except BaseException:
            self._end(process)
            raise
        return process

    def _end(self, process: NodeProcess) -> None:
        if timer := self._waiting.pop(process, None):
            timer.cancel()
        process.kill()
        task = asyncio.create_task(process.close())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
