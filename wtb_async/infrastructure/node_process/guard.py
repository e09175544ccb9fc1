"""Stands between a runner and a node's process: `python -m ...node_process.guard SOCKET RUNNER`.

The kernel can end a process together with its parent, but not what the process has started. This
one waits for the end of either side, and then ends its whole group. It loads nothing, so that it
stays small, and does nothing else, so that no node can keep it from its duty.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the guard of a new process, which becomes the node's."""
    line, runner = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: end_group())
    _be_told_of_the_end_of(runner, signal.SIGTERM)
    guard = os.getpid()
    if node := os.fork():
        return _end_as(os.waitpid(node, 0)[1])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _be_told_of_the_end_of(guard, signal.SIGKILL)
    from wtb_async.infrastructure.node_process.child import serve  # noqa: PLC0415 - not in the guard

    return serve(line)


def end_group() -> None:
    """End this process and all that belongs to its group, at once."""
    os.killpg(0, signal.SIGKILL)


def _be_told_of_the_end_of(parent: int, by_signal: signal.Signals) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, by_signal):
        code = ctypes.get_errno()
        raise OSError(code, f"prctl: {os.strerror(code)}")
    # A parent that died before the call above sends no signal any more.
    if os.getppid() != parent:
        end_group()


def _end_as(status: int) -> None:
    """End as the node's process did, for the runner to see; it ends the rest of the group."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)


if __name__ == "__main__":
    main()
