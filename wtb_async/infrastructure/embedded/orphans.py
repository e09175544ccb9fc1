"""Databases that outlive, for a moment, the process that started them."""

import contextlib
from pathlib import Path

import psutil

from wtb_async.infrastructure.embedded.errors import StackError
from wtb_async.infrastructure.embedded.processes import wait_gone

_ORPHAN_SECONDS = 15.0


def outlast_orphaned_postgres(folder: Path) -> None:
    """Wait for the database of a process that was killed: it may still write its last page.

    Args:
        folder: of its cluster.
    """
    with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
        pid = int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
        server = psutil.Process(pid)
        # The number in an old file may by now be that of any other process.
        is_ours = str(folder) in server.cmdline()
        if is_ours and wait_gone([server], _ORPHAN_SECONDS):
            raise StackError(f"process {pid} still serves {folder}; `kill -INT {pid}` ends it")
