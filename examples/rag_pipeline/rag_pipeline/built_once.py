"""Sharing one expensive object among all the runs of a process."""

import functools
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def built_once(build: Callable[[], T]) -> Callable[[], T]:
    """Return a getter that calls `build` on first use, exactly once even among threads.

    `functools.cache` alone would let threads that arrive together all build.
    """
    lock = threading.Lock()
    cached = functools.cache(build)

    @functools.wraps(build)
    def get() -> T:
        with lock:
            return cached()

    return get
