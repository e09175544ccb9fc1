"""Lets Python write to files that are hard links to blobs, by giving them copies first."""

import errno
import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from wtb_async.domain.file_commit import FileMemento
from wtb_async.infrastructure.files.object_folder import READ_ONLY
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex
from wtb_async.infrastructure.workspaces.linking import copy_file

COPIED = "copied-"
"""How the names of copies begin that are being made."""

Target = int | str | bytes | PathLike[str] | PathLike[bytes]
"""What Python's functions take for a file: an open one, or a path."""

_NO_FOLDER = -1
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC
_EMPTYING = os.O_TRUNC | os.O_EXCL


class GuardedWorkspace(Protocol):
    """A workspace in use that has links to blobs."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def index(self) -> WorkspaceIndex:
        """Its files, and which of them are links."""


class LinkGuard:
    """Sees what Python is about to change, before the kernel refuses it.

    Blobs are read-only, so nothing else than Python code of this process gets this far: programs
    that a node starts, and libraries that open files themselves, get "Permission denied".
    """

    def __init__(self) -> None:
        self._workspaces: dict[Path, GuardedWorkspace] = {}
        self._copying = threading.RLock()
        self._watched: Mapping[str, Callable[..., None]] = {
            "open": self._before_open,
            "os.truncate": self._before_change,
            "os.setxattr": self._before_change,
            "os.removexattr": self._before_change,
            "os.chmod": self._before_chmod,
            "os.chown": self._before_change_in_folder,
            "os.utime": self._before_change_in_folder,
            "os.link": self._before_link,
            "sqlite3.connect": self._before_connect,
        }

    def install(self) -> None:
        """Begin to watch. Audit hooks stay until the process ends."""
        os.register_at_fork(after_in_child=self._renew_lock)
        sys.addaudithook(self._on_event)

    def add(self, workspace: GuardedWorkspace) -> None:
        """Watch over the links of a workspace from now on."""
        self._workspaces[workspace.path.resolve()] = workspace

    def remove(self, workspace: GuardedWorkspace) -> None:
        """No longer watch over them."""
        self._workspaces.pop(workspace.path.resolve(), None)

    def _renew_lock(self) -> None:
        """The thread that held it is not in the child process."""
        self._copying = threading.RLock()

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._workspaces and (watch := self._watched.get(event)):
            watch(*arguments)

    def _before_open(self, path: Target, _: object, flags: int) -> None:
        if flags & _WRITING and not isinstance(path, int):
            self._give_own(path, empty=flags & _EMPTYING == os.O_TRUNC)

    def _before_change(self, path: Target, *_: object) -> None:
        self._give_own(path)

    def _before_chmod(self, path: Target, mode: int, folder: int) -> None:
        if not (isinstance(path, int) and mode == READ_ONLY):  # The mode of a blob does no harm.
            self._before_change_in_folder(path, folder)

    def _before_change_in_folder(self, path: Target, *others: object) -> None:
        folder = others[-1]
        if isinstance(path, int) or not isinstance(folder, int) or folder == _NO_FOLDER:
            self._give_own(path)
        else:
            self._give_own(f"/proc/self/fd/{folder}/{os.fsdecode(path)}")

    def _before_link(self, path: Target, *_: object) -> None:
        """Two names of a file that a node made stay one file, whichever it writes to.

        This is also called for the links with which workspaces are filled.
        """
        if not isinstance(path, int) and self._is_inside(Path(os.fsdecode(path)).absolute()):
            self._give_own(path)

    def _before_connect(self, database: str | bytes) -> None:
        """SQLite opens its file itself."""
        self._give_own(os.fsdecode(database).removeprefix("file:").partition("?")[0])

    def _give_own(self, path: Target, *, empty: bool = False) -> None:
        """Make a path a file of its own if it is a link to a blob."""
        opened = isinstance(path, int)
        where = Path(f"/proc/self/fd/{path}" if isinstance(path, int) else os.fsdecode(path))
        try:
            status = where.stat()
        except (OSError, ValueError):
            return  # The operation itself will tell what is wrong with it.
        if status.st_nlink > 1 and stat.S_ISREG(status.st_mode) and self._is_linked(status):
            with self._copying:
                self._copy_up(where.resolve(), status, empty=empty, opened=opened)

    def _is_inside(self, file: Path) -> bool:
        return any(file.is_relative_to(root) for root in list(self._workspaces))

    def _is_linked(self, status: os.stat_result) -> bool:
        """Whether it is a blob, under whichever name."""
        return any(
            status.st_ino in workspace.index.linked_files
            and status.st_dev == workspace.path.stat().st_dev
            for workspace in list(self._workspaces.values())
        )

    def _copy_up(self, file: Path, status: os.stat_result, *, empty: bool, opened: bool) -> None:
        """Raises PermissionError for what cannot be replaced by a copy."""
        root = next((root for root in self._workspaces if file.is_relative_to(root)), None)
        if root is None or opened:
            raise PermissionError(errno.EACCES, "other workspaces have it too", str(file))
        if not os.path.samestat(file.stat(), status):
            return  # Another thread was faster.
        index = self._workspaces[root].index
        entry = index.entries.get(file.relative_to(root).as_posix())
        if entry is None or not entry.linked or entry.signature[0] != status.st_ino:
            entry = index.linked_files[status.st_ino]  # It was moved since the last scan.
        replace_with_copy(file, root.parent, entry.memento, empty=empty)


def replace_with_copy(file: Path, beside: Path, memento: FileMemento, *, empty: bool) -> None:
    """Put a copy in place of a link, which has the mode and time that the link could not have.

    `beside` is a folder of the same file system. A file that its owner may not write to is never
    emptied: opening it is about to fail.
    """
    copy = beside / f"{COPIED}{uuid4().hex}"
    target = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    try:
        if not (empty and memento.mode & stat.S_IWUSR):
            copy_file(file, target)
        os.fchmod(target, memento.mode)
        os.utime(target, ns=(memento.mtime_ns, memento.mtime_ns))
        copy.rename(file)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    finally:
        os.close(target)


@cache
def link_guard() -> LinkGuard:
    """The one of this process, watching since the first call: hooks cannot be taken away."""
    guard = LinkGuard()
    guard.install()
    return guard
