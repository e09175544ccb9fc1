"""Become one process of the stack: `python -I child.py ORDER.json`.

Runs as a file, with the standard library only, because it stands in front of every process that
the stack starts. It ties the process to its parent (when the parent dies, however it dies, the
kernel signals the child), takes on the identity that the order names, and executes the command.
"""

import ctypes
import json
import os
import pwd
import sys
from pathlib import Path

OWN = "own"
USER_NAMESPACE = "user_namespace"
NOBODY = "nobody"

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


def _raise_errno(call: str) -> None:
    code = ctypes.get_errno()
    raise OSError(code, f"{call}: {os.strerror(code)}")


def enter_user_namespace() -> None:
    """Appear as `nobody` to this process and its children while files stay the caller's."""
    nobody = pwd.getpwnam("nobody")
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER):
        _raise_errno("unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{nobody.pw_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{nobody.pw_gid} {gid} 1")


def become_nobody() -> None:
    """Give up root for good."""
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)


def take_identity(identity: str) -> None:
    """Change the credentials of this process as the order says."""
    if identity == USER_NAMESPACE:
        enter_user_namespace()
    elif identity == NOBODY:
        become_nobody()


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1):
        _raise_errno("prctl")


def die_with(parent: int, death_signal: int) -> None:
    """Let the kernel send `death_signal` to this process when its parent is gone."""
    if _libc.prctl(_PR_SET_PDEATHSIG, death_signal):
        _raise_errno("prctl")
    # A parent that died before the call above sends no signal any more.
    if os.getppid() != parent:
        sys.exit(1)


def feed_stdin(text: str) -> None:
    """Make `text` the standard input; it lives in memory only."""
    descriptor = os.memfd_create("stdin")
    os.write(descriptor, text.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.dup2(descriptor, 0)


def main() -> None:
    """Read the order and become its process."""
    order = json.loads(Path(sys.argv[1]).read_text())
    if order["stdin"]:
        feed_stdin(order["stdin"])
    os.chdir(order["cwd"])
    # Changing credentials clears the death signal, so it is set afterwards.
    take_identity(order["identity"])
    if order["parent"] is not None:
        die_with(order["parent"], order["death_signal"])
    if order["adopts_orphans"]:
        adopt_orphans()
    os.execve(order["argv"][0], order["argv"], {**os.environ, **order["env"]})  # noqa: S606 - becoming the command is the purpose


if __name__ == "__main__":
    main()
