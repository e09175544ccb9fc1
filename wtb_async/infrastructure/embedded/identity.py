"""Which user Postgres runs as, because it refuses to be root."""

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

from wtb_async.infrastructure.embedded import child
from wtb_async.infrastructure.embedded.errors import DataDirectoryUnusable
from wtb_async.infrastructure.embedded.parts import Identity

_TRY_NAMESPACE = "import runpy, sys; runpy.run_path(sys.argv[1])['enter_user_namespace']()"


def user_namespaces_work() -> bool:
    """Whether the kernel lets this user have a user namespace; containers often forbid it."""
    attempt = [sys.executable, "-I", "-c", _TRY_NAMESPACE, child.__file__]
    tried = subprocess.run(attempt, capture_output=True, check=False)  # noqa: S603 - our command
    return tried.returncode == 0


def unprivileged_identity() -> Identity:
    """The identity under which a program that refuses root can run."""
    if os.geteuid() != 0:
        return Identity.OWN
    return Identity.USER_NAMESPACE if user_namespaces_work() else Identity.NOBODY


def hand_over(folder: Path, identity: Identity) -> None:
    """Give a new folder to the identity that will write to it.

    Only `nobody` needs this: it must own the folder and be able to walk to it, so the data
    directory, which is ours, opens for passing through (its other files stay private). Folders
    above are not touched; raises DataDirectoryUnusable when one of them is closed.
    """
    if identity is not Identity.NOBODY:
        return
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    folder.parent.chmod(0o711)
    closed = [str(parent) for parent in folder.parents if not parent.stat().st_mode & stat.S_IXOTH]
    if closed:
        raise DataDirectoryUnusable(
            "as root without user namespaces, Postgres runs as the user nobody, who cannot pass "
            f"through {closed[0]}; choose a folder below /var or /srv with --data-dir"
        )
