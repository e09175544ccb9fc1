"""Ways in which a node may change a file of its workspace."""

import mmap
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

Write = Callable[[Path], None]


def append(file: Path) -> None:
    with file.open("a") as opened:
        opened.write("more")


def write_anew(file: Path) -> None:
    file.write_text("anew")


def write_in_place(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(b"X")


def write_through_a_descriptor(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND)
    os.write(descriptor, b"more")
    os.close(descriptor)


def write_in_its_folder(file: Path) -> None:
    before = Path.cwd()
    os.chdir(file.parent)
    try:
        Path(file.name).write_text("from here")
    finally:
        os.chdir(before)


def truncate(file: Path) -> None:
    os.truncate(file, 1)


def copy_onto(file: Path) -> None:
    other = file.with_name("copied onto it")
    other.write_text("other")
    shutil.copy(other, file)
    other.unlink()


def rename_over(file: Path) -> None:
    other = file.with_name("renamed over it")
    other.write_text("other")
    other.rename(file)


def rename_and_append(file: Path) -> None:
    moved = file.with_name("moved")
    file.rename(moved)
    append(moved)
    moved.rename(file)


def link_and_append(file: Path) -> None:
    second = file.with_name("second")
    second.hardlink_to(file)
    append(second)
    second.unlink()


def append_through_a_link(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file.name)
    append(link)
    link.unlink()


def make_anew(file: Path) -> None:
    file.unlink()
    file.write_text("made")


def set_mode(file: Path) -> None:
    file.chmod(0o600)


def set_mode_of_an_opened_one(file: Path) -> None:
    with file.open("rb") as opened:
        os.fchmod(opened.fileno(), 0o600)


def set_mode_below_an_opened_folder(file: Path) -> None:
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.chmod(file.name, 0o600, dir_fd=folder)
    finally:
        os.close(folder)


def set_times(file: Path) -> None:
    os.utime(file, ns=(1, 1))


def touch(file: Path) -> None:
    file.touch()


def use_as_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()


def map_into_memory(file: Path) -> None:
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        mapped[0:1] = b"M"


def map_with_numpy(file: Path) -> None:
    mapped = np.memmap(file, dtype=np.uint8, mode="r+")
    mapped[0] = 7
    mapped.flush()


def append_in_a_shell(file: Path) -> None:
    subprocess.run(
        ["sh", "-c", f"echo more >> '{file}'"],  # noqa: S607
        check=True,
        capture_output=True,
    )


def append_below_an_opened_folder(file: Path) -> None:
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.close(os.open(file.name, os.O_WRONLY | os.O_APPEND, dir_fd=folder))
    finally:
        os.close(folder)


BY_PYTHON: tuple[Write, ...] = (
    append,
    write_anew,
    write_in_place,
    write_through_a_descriptor,
    write_in_its_folder,
    truncate,
    copy_onto,
    rename_over,
    rename_and_append,
    link_and_append,
    append_through_a_link,
    make_anew,
    set_mode,
    set_mode_below_an_opened_folder,
    set_times,
    touch,
    use_as_database,
    map_into_memory,
    map_with_numpy,
)
"""These do the same as in a plain folder."""

PAST_PYTHON: tuple[Write, ...] = (
    append_in_a_shell,
    append_below_an_opened_folder,
    set_mode_of_an_opened_one,
)
"""These may be refused, because nobody can step in."""
