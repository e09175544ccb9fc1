"""Process trees: ending one, and knowing that it has ended."""

import contextlib
import time
from collections.abc import Iterable

import psutil

_POLL_SECONDS = 0.02


def is_gone(process: psutil.Process) -> bool:
    """Whether nothing of the process runs any more, even if its parent has yet to notice."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_gone(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for processes to end; those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if not is_gone(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        alive = [process for process in alive if not is_gone(process)]
    return alive


def end_tree(root: psutil.Process, seconds: float) -> None:
    """Ask the root to end, wait for everything below it, and kill what stays."""
    try:
        tree = [root, *root.children(recursive=True)]
        root.terminate()
    except psutil.NoSuchProcess:
        return
    for process in wait_gone(tree, seconds):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_gone(tree, seconds)
