"""How the process of a node ends when it should, and begins each call where the first began."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Let the kernel end this process when its parent is gone, however the parent ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL):
        code = ctypes.get_errno()
        raise OSError(code, f"prctl: {os.strerror(code)}")
    # A parent that died before the call above sends no signal any more.
    if os.getppid() != parent:
        sys.exit(1)


def end_group() -> None:
    """End this process and all that it has started, at once."""
    os.killpg(0, signal.SIGKILL)


class Surroundings:
    """Working directory, environment and file mode mask, as they are when this is made."""

    def __init__(self) -> None:
        self._folder = os.getcwd()  # noqa: PTH109 - as text, as `chdir` takes it back
        self._environment = dict(os.environ)
        self._mask = os.umask(0)
        os.umask(self._mask)

    @contextmanager
    def left_for(self, folder: str | None) -> Iterator[None]:
        """Be in a folder within the block; afterwards all is as it was, whatever was changed."""
        try:
            if folder is not None:
                os.chdir(folder)
            yield
        finally:
            self._put_right()

    def _put_right(self) -> None:
        os.chdir(self._folder)
        os.umask(self._mask)
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
