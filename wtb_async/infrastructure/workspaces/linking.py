"""Putting the content of a blob into a workspace at the lowest cost that keeps the blob safe."""

import fcntl
import os
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from wtb_async.infrastructure.files.file_threads import THREAD_NAME
from wtb_async.infrastructure.files.object_folder import copy_content
from wtb_async.infrastructure.workspaces.capabilities import (
    give_up_writing_to_read_only_files,
    others_write_to_read_only_files,
    writes_to_read_only_files,
)

log = structlog.get_logger(__name__)

_FICLONE = 0x40049409
"""ioctl of Linux: share the blocks of another file until one of the two is written to."""


class Linking(Enum):
    """How files get into the workspaces of this machine."""

    CLONE = "clone"
    HARD_LINK = "hard link"
    COPY = "copy"


class SafeLinks:
    """Chooses the linking once, when it is first needed.

    Hard links are safe where the kernel refuses writes to read-only files. It does not refuse them
    to root, which therefore gives that up, or copies.
    """

    def __init__(self, blobs: Path, workspaces: Path, *, may_give_up_root: bool) -> None:
        self._blobs = blobs
        self._workspaces = workspaces
        self._may_give_up_root = may_give_up_root
        self._chosen: Linking | None = None

    def choose(self) -> Linking:
        """What the thread that calls, and those that it starts, can safely work with."""
        if self._chosen is None:
            found = find_linking(self._blobs, self._workspaces)
            safe = found is not Linking.HARD_LINK or self._writes_are_refused()
            self._chosen = found if safe else Linking.COPY
            log.info("workspace_linking_chosen", linking=self._chosen.value, possible=found.value)
        return self._chosen

    def _writes_are_refused(self) -> bool:
        if writes_to_read_only_files() and self._may_give_up_root:
            try:
                give_up_writing_to_read_only_files()
            except OSError as error:
                log.warning("root_cannot_be_given_up", reason=str(error))
        return not (
            writes_to_read_only_files() or others_write_to_read_only_files(except_for=THREAD_NAME)
        )


def find_linking(blobs: Path, workspaces: Path) -> Linking:
    """Try what works between two folders, the cheapest first."""
    with TemporaryDirectory(dir=blobs) as here, TemporaryDirectory(dir=workspaces) as there:
        blob = Path(here) / "blob"
        blob.write_bytes(b"blob")
        blob.chmod(0o444)
        if _clones(blob, Path(there) / "clone"):
            return Linking.CLONE
        if _links(blob, Path(there) / "link"):
            return Linking.HARD_LINK
    return Linking.COPY


def _clones(blob: Path, file: Path) -> bool:
    try:
        with blob.open("rb") as source, file.open("xb") as target:
            fcntl.ioctl(target, _FICLONE, source.fileno())
    except OSError:
        return False
    return True


def _links(blob: Path, file: Path) -> bool:
    try:
        file.hardlink_to(blob)
    except OSError:
        return False
    return True


def copy_file(source: Path, target: int) -> None:
    """Give an open, empty file the same content; where blocks can be shared, they are."""
    opened = os.open(source, os.O_RDONLY)
    try:
        copy_content(opened, os.fstat(opened).st_size, target)
    finally:
        os.close(opened)
