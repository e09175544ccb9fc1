"""What is asked of processes that may end at any moment."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

import psutil

Answer = TypeVar("Answer")


def answers_of(
    processes: Iterable[psutil.Process], question: Callable[[psutil.Process], Answer]
) -> Iterator[Answer]:
    """What each process says; one that has ended meanwhile says nothing."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            yield question(process)
