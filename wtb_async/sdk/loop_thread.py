"""An event loop in a thread of its own, for callers that have none or must not block theirs."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")
Opened = TypeVar("Opened")


class LoopThread(Generic[Opened]):
    """An event loop in a thread, and something that is open on it: a bench, a client."""

    def __init__(self, opening: AbstractAsyncContextManager[Opened]) -> None:
        """Open it; whatever that raises is raised here."""
        self._opening = opening
        self._opened: Future[Opened] = Future()
        self._ended: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name="wtb-bench", daemon=True)
        self._thread.start()
        try:
            self.opened = self._opened.result()
        except BaseException:
            self._ask_to_end()
            raise

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for a coroutine on the loop; it is cancelled when the wait is interrupted."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Close it, and end the thread; once is enough. Raises what it has ended with."""
        self._ask_to_end()
        self._ended.result()
        self._thread.join()

    def _ask_to_end(self) -> None:
        with suppress(RuntimeError):  # The loop has ended already.
            self._loop.call_soon_threadsafe(self._closing.set)

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._live())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody closes
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _live(self) -> None:
        try:
            async with self._opening as opened:
                self._opened.set_result(opened)
                await self._closing.wait()
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)
