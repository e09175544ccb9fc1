"""What a process has only one of, put right after each call of its node."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wtb_async.infrastructure.workspaces.other_process import working_in


class Surroundings:
    """Working directory, environment and file mode mask, as they are when this is made."""

    def __init__(self) -> None:
        self._folder = os.getcwd()  # noqa: PTH109 - as text, as `chdir` takes it back
        self._environment = dict(os.environ)
        self._mask = os.umask(0)
        os.umask(self._mask)

    @contextmanager
    def left_for(self, folder: str | None) -> Iterator[None]:
        """Be in a workspace within the block; afterwards all is as it was, whatever was changed."""
        try:
            if folder is None:
                yield
                return
            os.chdir(folder)
            with working_in(Path(folder)):
                yield
        finally:
            self._put_right()

    def _put_right(self) -> None:
        os.chdir(self._folder)
        os.umask(self._mask)
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
