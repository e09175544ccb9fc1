"""Starts the processes of nodes."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from dataclasses import dataclass
from pathlib import Path

from wtb_async.infrastructure.langgraph.strict_msgpack import STRICT_MSGPACK

GUARD = "wtb_async.infrastructure.node_process.guard"


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that has begun, and what connects it with this one."""

    process: Process
    line: socket.socket
    printed: int
    """The descriptor that its output is read from."""


async def spawn(folder: Path) -> Spawned:
    """Start a process in a session of its own, which knows yet of no node.

    Args:
        folder: where it begins.
    """
    line, theirs = socket.socketpair()
    printed, prints = os.pipe()
    try:
        with theirs, os.fdopen(prints, "wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                GUARD,
                str(theirs.fileno()),
                str(os.getpid()),
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                cwd=folder,
                env=os.environ | STRICT_MSGPACK,
                start_new_session=True,  # uvloop knows no `process_group`.
            )
    except BaseException:
        line.close()
        os.close(printed)
        raise
    return Spawned(process, line, printed)


def kill_group(pid: int) -> None:
    """End a process that leads its group, and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
