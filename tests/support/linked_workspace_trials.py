"""Trials of workspaces made of hard links, in a process that may give up the powers of root."""

import asyncio
import hashlib
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from workspace_writes import BY_PYTHON, PAST_PYTHON, Write
from workspaces import RULES, FileBench, file_bench

from wtb_async.application.files.blob_store import BlobAltered
from wtb_async.domain.file_commit import Manifest
from wtb_async.infrastructure.workspaces.capabilities import writes_to_read_only_files
from wtb_async.infrastructure.workspaces.directory import Fate

NAMES = ("text", "folder/text", "database")
Steps = list[tuple[str, Write]]

steps = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(BY_PYTHON + PAST_PYTHON)), max_size=6
)


def contents(folder: Path) -> dict[str, bytes]:
    """Two files with the same content, and a database."""
    with closing(sqlite3.connect(folder / "original")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.commit()
    database = (folder / "original").read_bytes()
    return {"text": b"content", "folder/text": b"content", "database": database}


def look(root: Path) -> dict[str, bytes]:
    """All files below a folder."""
    files = (item for item in root.rglob("*") if item.is_file())
    return {item.relative_to(root).as_posix(): item.read_bytes() for item in files}


def attempt(write: Write, file: Path) -> type[Exception] | None:
    """What writing failed with."""
    try:
        write(file)
    except (OSError, ValueError, sqlite3.Error, CalledProcessError) as error:
        return type(error)
    return None


def was_refused(failed: type[Exception] | None) -> bool:
    """Whether it was for want of permission, also in a program that was started."""
    return failed is not None and issubclass(failed, (PermissionError, CalledProcessError))


def write_to_both(write: Write, linked: Path, plain: Path) -> None:
    """Do the same with a linked file and a plain one; only those past Python may be refused."""
    failed = attempt(write, linked)
    if write in PAST_PYTHON and was_refused(failed):
        return
    assert attempt(write, plain) == failed, write.__name__


async def try_steps(bench: FileBench, manifest: Manifest, taken: Steps, plain: Path) -> None:
    """Write to one workspace; the blobs, its sibling and what a scan finds are as they must be."""
    ours = await bench.workspaces.open(uuid4(), manifest, RULES)
    theirs = await bench.workspaces.open(uuid4(), manifest, RULES)
    assert set(ours.index.linked_files) == set(theirs.index.linked_files) != set()
    start = look(theirs.path)
    for path, content in start.items():
        (plain / path).parent.mkdir(exist_ok=True)
        (plain / path).write_bytes(content)
    for name, write in taken:
        write_to_both(write, ours.path / name, plain / name)
    assert look(ours.path) == look(plain)
    assert look(theirs.path) == start
    assert await theirs.scan() is None
    check_blobs(bench.folder / "files/objects")
    scan = await ours.scan()
    found = scan.manifest if scan else manifest
    assert {path: item.blob.size for path, item in found.items() if item.blob} == {
        path: len(content) for path, content in look(plain).items()
    }
    assert {path: item.mode for path, item in found.items()} == {
        path: (plain / path).lstat().st_mode & 0o777 for path in found
    }
    await ours.close(Fate.REMOVE)
    await theirs.close(Fate.REMOVE)


async def try_past_python(bench: FileBench, manifest: Manifest) -> None:
    """What Python does not see is refused as long as the file is a link."""
    workspace = await bench.workspaces.open(uuid4(), manifest, RULES)
    for write in PAST_PYTHON:
        assert was_refused(attempt(write, workspace.path / "text"))
    assert await workspace.scan() is None
    await workspace.close(Fate.REMOVE)


async def try_altering(bench: FileBench, manifest: Manifest) -> None:
    """A program that takes the protection away by itself is found out."""
    workspace = await bench.workspaces.open(uuid4(), manifest, RULES)
    file = shlex.quote(str(workspace.path / "text"))
    run("sh", "-c", f"chmod 600 {file}")
    assert await workspace.scan() is None
    check_blobs(bench.folder / "files/objects")
    run("sh", "-c", f"chmod 600 {file}; echo more >> {file}")
    try:
        await workspace.scan()
    except BlobAltered:
        await workspace.close(Fate.REMOVE)
        return
    raise AssertionError("nobody saw that a blob was altered")


async def try_another_process(bench: FileBench, manifest: Manifest) -> None:
    """A process that a node is given for itself writes as the runner does."""
    workspace = await bench.workspaces.open(uuid4(), manifest, RULES)
    code = (
        "import sys; from pathlib import Path;"
        "from wtb_async.infrastructure.workspaces.other_process import respect_links, working_in;"
        "root = Path(sys.argv[1]); respect_links()\n"
        "with working_in(root): (root / 'text').open('a').write('!')"
    )
    run(sys.executable, "-c", code, str(workspace.path))
    assert (workspace.path / "text").read_bytes() == b"content!"
    check_blobs(bench.folder / "files/objects")
    await workspace.close(Fate.REMOVE)


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def check_blobs(objects: Path) -> None:
    """Every blob is what its name says, and still read-only."""
    for blob in (item for item in objects.rglob("*") if item.is_file()):
        named = blob.parent.name + blob.name
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == named
        assert blob.stat().st_mode & 0o777 == 0o444


def main(examples: int) -> None:
    """Try so many sequences of writes, each in a process that is not root's any more."""
    os.umask(0o022)
    renewed: list[None] = []
    with (
        TemporaryDirectory() as folder,
        file_bench(Path(folder), renew_threads=lambda: renewed.append(None)) as bench,
        asyncio.Runner() as runner,
    ):
        is_root = writes_to_read_only_files()
        manifest = runner.run(bench.manifest_of(contents(Path(folder))))

        @settings(max_examples=examples, deadline=None, database=None)
        @given(steps)
        def trial(taken: Steps) -> None:
            with TemporaryDirectory() as plain:
                runner.run(try_steps(bench, manifest, taken, Path(plain)))

        trial()
        for write in BY_PYTHON + PAST_PYTHON:
            with TemporaryDirectory() as plain:
                runner.run(
                    try_steps(bench, manifest, [(name, write) for name in NAMES], Path(plain))
                )
        assert len(renewed) == is_root
        runner.run(try_past_python(bench, manifest))
        runner.run(try_another_process(bench, manifest))
        runner.run(try_altering(bench, manifest))


if __name__ == "__main__":
    main(int(sys.argv[1]))
