"""Removing a directory, whatever is in it: deep, without permissions, or full of links."""

import os
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

from wtb_async.infrastructure.workspaces.opening import DIRECTORY


def remove_tree(folder: Path) -> None:
    """Remove a directory of ours with all that is in it; one that is not there is as good.

    Directories are moved to its top before they are emptied, so that no depth is too deep.
    """
    try:
        top = _open_anyway(str(folder))
    except FileNotFoundError:
        return
    except NotADirectoryError:
        folder.unlink()
        return
    try:
        names = _new_names()
        _empty(top, top, names)
        while directories := _names_in(top):
            for directory in directories:
                _remove_directory(directory, top, names)
    finally:
        os.close(top)
    folder.rmdir()


def _remove_directory(name: str, top: int, names: Iterator[str]) -> None:
    directory = _open_anyway(name, top)
    try:
        _empty(directory, top, names)
    finally:
        os.close(directory)
    os.rmdir(name, dir_fd=top)


def _empty(directory: int, top: int, names: Iterator[str]) -> None:
    """Remove the files of a directory, and move its directories to the top."""
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_directory in found:
        if is_directory:
            os.close(_open_anyway(name, directory))
            os.rename(name, next(names), src_dir_fd=directory, dst_dir_fd=top)
        else:
            os.unlink(name, dir_fd=directory)


def _names_in(directory: int) -> list[str]:
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def _new_names() -> Iterator[str]:
    """Names that nothing has."""
    prefix = uuid4().hex
    return (f".{prefix}-{number}" for number in count())


def _open_anyway(name: str, parent: int | None = None) -> int:
    """Open a directory of ours, after giving us the permission to empty it."""
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        if os.fstat(handle).st_mode & stat.S_IRWXU != stat.S_IRWXU:
            Path(f"/proc/self/fd/{handle}").chmod(stat.S_IRWXU)
        return os.open(".", DIRECTORY, dir_fd=handle)
    finally:
        os.close(handle)
