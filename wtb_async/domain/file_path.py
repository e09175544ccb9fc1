"""Paths inside a workspace: relative, in Unicode, and leading nowhere else."""

import re

from wtb_async.domain.errors import WtbError

MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255

_DRIVE = re.compile(r"[A-Za-z]:")


class UnsafePath(WtbError):
    """A name that could lead out of a workspace, or that not every file system can hold."""

    code = "unsafe_path"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{shown_path(path)} cannot be a file of a workspace: {reason}")


def shown_path(path: str) -> str:
    """A path as messages show it, whatever its characters are."""
    return repr(path.encode("utf-8", "backslashreplace").decode()[:200])


def check_path(path: str) -> str:
    """Answer the path if it is one of a file inside a workspace, as `a/b.txt`.

    Raises:
        UnsafePath: it is empty, absolute, leaves the workspace, is not in its shortest form, is
            too long, or has characters that cannot be stored.
    """
    if not path:
        raise UnsafePath(path, "it is empty")
    if path.startswith("/") or _DRIVE.match(path):
        raise UnsafePath(path, "it must be relative")
    if "\\" in path or "\0" in path:
        raise UnsafePath(path, "it has a backslash or a NUL character")
    names = path.split("/")
    for name in names:
        _check_name(path, name)
    if sum(map(_size, names)) + len(names) > MAX_PATH_BYTES:
        raise UnsafePath(path, f"it is longer than {MAX_PATH_BYTES} bytes")
    return path


def _check_name(path: str, name: str) -> None:
    if name in {"", ".", ".."}:
        raise UnsafePath(path, "its parts must be names, not '', '.' or '..'")
    try:
        size = _size(name)
    except UnicodeEncodeError as error:
        raise UnsafePath(path, "it is not in UTF-8") from error
    if size > MAX_NAME_BYTES:
        raise UnsafePath(path, f"a name in it is longer than {MAX_NAME_BYTES} bytes")


def _size(name: str) -> int:
    return len(name.encode("utf-8"))


def check_target(path: str, target: str) -> str:
    """Answer the target of the symbolic link `path` if it stays inside the workspace.

    It may begin with as many `..` as the link has folders above it, and has none after that: a
    `..` that follows another link would lead up from wherever that one points to.

    Raises:
        UnsafePath: it is absolute, leads out of the workspace, or is not in UTF-8.
    """
    if target.startswith("/"):
        raise UnsafePath(path, "it is a symbolic link to an absolute path")
    try:
        _size(target)
    except UnicodeEncodeError as error:
        raise UnsafePath(path, "its target is not in UTF-8") from error
    names = [name for name in target.split("/") if name not in {"", "."}]
    ups = next((place for place, name in enumerate(names) if name != ".."), len(names))
    if ups > path.count("/") or ".." in names[ups:]:
        raise UnsafePath(path, "it is a symbolic link that leads out of the workspace")
    return target
