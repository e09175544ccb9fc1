"""What is common to storing a file in any store: how it is opened, and what its faults mean."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wtb_async.application.files.blob_store import FileChanged, StoreFull
from wtb_async.domain.errors import TransientError

ANOTHER_IN_ITS_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def open_file(file: Path, size: int) -> Iterator[int]:
    """Open a file that should be there with this size. Raises FileChanged when it is not.

    One that has grown since then still begins with what was found: nodes write logs side by side.

    Somebody may have put a link or a FIFO in its place: neither is followed or waited for. Raises
    TransientError when it cannot be read.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in ANOTHER_IN_ITS_PLACE:
            raise FileChanged(file) from error
        raise TransientError(f"{file} cannot be read: {error}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size < size:
            raise FileChanged(file)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Translate what a disk refuses to StoreFull or TransientError."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StoreFull(f"there is no room for another blob in {folder}") from error
        raise TransientError(f"the blob store in {folder} does not work: {error}") from error
