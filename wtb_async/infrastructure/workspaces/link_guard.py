"""Lets Python write to files that are hard links to blobs, by giving them copies first."""

import errno
import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from wtb_async.domain.file_commit import FileMemento
from wtb_async.infrastructure.files.object_folder import READ_ONLY
from wtb_async.infrastructure.workspaces.index import IndexEntry, WorkspaceIndex
from wtb_async.infrastructure.workspaces.linking import copy_file

COPIED = "copied-"
"""How the names of copies begin that are being made."""

Target = int | str | bytes | PathLike[str] | PathLike[bytes]
"""What Python's functions take for a file: an open one, or a path."""

_NO_FOLDER = -1
_SHARED = 2
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
        self._workspaces: Mapping[str, GuardedWorkspace] = {}
        """By their roots, with `/` at the end; replaced whole, because all threads read it."""
        self._copying = threading.RLock()
        self._watched: Mapping[str, Callable[..., None]] = {
            "open": self._before_open,
            "os.truncate": self._before_change,
            "os.setxattr": self._before_change,
            "os.removexattr": self._before_change,
            "os.chmod": self._before_chmod,
            "os.chown": self._before_change_in_folder,
            "os.utime": self._before_utime,
            "os.link": self._before_link,
            "sqlite3.connect": self._before_connect,
        }

    def install(self) -> None:
        """Begin to watch. Audit hooks stay until the process ends."""
        os.register_at_fork(after_in_child=self._renew_lock)
        sys.addaudithook(self._on_event)

    def add(self, workspace: GuardedWorkspace) -> None:
        """Watch over the links of a workspace from now on."""
        self._workspaces = {**self._workspaces, _root(workspace): workspace}

    def remove(self, workspace: GuardedWorkspace) -> None:
        """No longer watch over them."""
        gone = _root(workspace)
        self._workspaces = {root: item for root, item in self._workspaces.items() if root != gone}

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

    def _before_utime(self, path: Target, _: object, __: object, folder: int) -> None:
        """The time of a blob does no harm either, and the store notes in it what is of use."""
        with suppress(_IsElsewhere):
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
        if not isinstance(path, int) and self._root_of(str(Path(os.fsdecode(path)).absolute())):
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
        if status.st_nlink < _SHARED or not stat.S_ISREG(status.st_mode):
            return
        if linked := self._linked(status):
            with self._copying:
                self._copy_up(where.resolve(), linked, empty=empty, opened=opened)

    def _linked(self, status: os.stat_result) -> IndexEntry | None:
        """The blob that a file is, under whichever name."""
        for workspace in self._workspaces.values():
            linked = workspace.index.linked_files.get(status.st_ino)
            if linked and workspace.path.stat().st_dev == status.st_dev:
                return linked
        return None

    def _copy_up(self, file: Path, linked: IndexEntry, *, empty: bool, opened: bool) -> None:
        root = self._root_of(str(file))
        if root is None or opened:
            raise _IsElsewhere(errno.EACCES, "other workspaces have it too", str(file))
        if file.stat().st_ino != linked.signature[0]:
            return  # Another thread was faster.
        entry = self._workspaces[root].index.entries.get(str(file)[len(root) :])
        if entry is None or entry.signature[:1] != linked.signature[:1]:
            entry = linked  # It was moved since the last scan.
        replace_with_copy(file, Path(root).parent, entry.memento, empty=empty)

    def _root_of(self, file: str) -> str | None:
        return next((root for root in self._workspaces if file.startswith(root)), None)


class _IsElsewhere(PermissionError):
    """A blob is about to be changed where no copy could take its place."""


def _root(workspace: GuardedWorkspace) -> str:
    return f"{workspace.path.resolve()}/"


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
