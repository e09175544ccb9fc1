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


def new_children(known: set[int]) -> set[int]:
    """The processes of this one that have come since, without the children of those known by pid.

    Postgres forks a process for each of its chores, whenever it likes.
    """
    children = psutil.Process().children(recursive=True)
    found = answers_of(children, lambda process: (process.pid, process.ppid()))
    return {pid for pid, parent in found if pid not in known and parent not in known}
