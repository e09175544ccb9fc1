"""Opening what is in a workspace without ever being led out of it by a link."""

import os
from pathlib import Path

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
"""Flags to open a directory itself, not what a link in its place leads to."""

# A FIFO without a writer would let the opening wait for one.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""Flags to open a file itself; the caller looks whether it is one."""


def open_folder(root: Path, folder: str) -> int:
    """Open a directory of a workspace. Raises OSError when a part of its path is a link."""
    directory = os.open(root, DIRECTORY)
    for name in filter(None, folder.split("/")):
        try:
            inner = os.open(name, DIRECTORY, dir_fd=directory)
        finally:
            os.close(directory)
        directory = inner
    return directory
