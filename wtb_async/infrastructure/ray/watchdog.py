"""Ends a process whose event loop stands still."""

import asyncio
import os
import threading
from time import monotonic

import structlog

log = structlog.get_logger(__name__)

EXIT_CODE = 70
LOOK_SECONDS = 1.0


class LoopWatchdog:
    """A thread that ends this process when the loop has not turned for a while.

    A node may block the loop with sync code, or end it with `sys.exit()`. Such a runner renews no
    lease, so its runs belong to others by then, and only a new process is of use.

    Args:
        loop: the loop to watch.
        limit_seconds: how long it may stand still.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit_seconds: float) -> None:
        self._loop = loop
        self._limit_seconds = limit_seconds
        self._turned_at = monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            stood_still = monotonic() - self._turned_at
            if stood_still > self._limit_seconds:
                log.error("loop_stands_still", seconds=round(stood_still, 1))
                os._exit(EXIT_CODE)
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._turned)

    def _turned(self) -> None:
        self._turned_at = monotonic()
