"""The lock on a workspace's directory: the kernel's, so that none outlives its owner."""

import fcntl
import os
from pathlib import Path

from wtb_async.domain.errors import TransientError


class WorkspaceInUse(TransientError):
    """A living process works in this directory."""

    code = "workspace_in_use"

    def __init__(self, folder: Path, owner: str) -> None:
        super().__init__(f"workspace {folder.name} is in use by process {owner or 'unknown'}")


class DirectoryLock:
    """Held from `take` to `release`, or until the process ends, however it does."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> "DirectoryLock":
        """Lock a folder, which is made if need be. Raises WorkspaceInUse."""
        while True:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            except FileNotFoundError:
                continue  # A sweep has removed the folder just now.
            lock = cls(descriptor)
            if lock._locked(folder):
                return lock

    def _locked(self, folder: Path) -> bool:
        """Whether the lock is ours, and still the one that others would find."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._descriptor, 20, 0).decode()
            os.close(self._descriptor)
            raise WorkspaceInUse(folder, owner) from error
        if not self._is_in(folder):
            os.close(self._descriptor)
            return False
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)
        return True

    def _is_in(self, folder: Path) -> bool:
        try:
            found = (folder / "lock").lstat()
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self._descriptor))

    def release(self) -> None:
        """Let others have the folder."""
        # A child process that was forked meanwhile has the descriptor too, so closing it would not
        # unlock the folder.
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)
