"""The directory of a thread: filled, kept, scanned, swapped and removed."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from workspaces import LAST_WRITTEN, RULES, FileBench, file_bench

from wtb_async.domain.file_commit import FileKind, FileMemento
from wtb_async.infrastructure.workspaces.directory import Fate
from wtb_async.infrastructure.workspaces.lock import WorkspaceInUse


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


async def test_an_opened_workspace_holds_what_the_manifest_says(bench: FileBench) -> None:
    manifest = {
        **await bench.manifest_of({"a.txt": b"one", "deep/er/b.txt": b"two"}),
        "run.sh": await bench.memento_of(b"#!/bin/sh\n", 0o755),
        "link": FileMemento(
            kind=FileKind.SYMLINK, mode=0o777, mtime_ns=LAST_WRITTEN, target="deep/er"
        ),
        "empty": FileMemento(kind=FileKind.DIRECTORY, mode=0o750, mtime_ns=LAST_WRITTEN),
    }
    directory = await bench.workspaces.open(uuid4(), manifest, RULES)
    path = directory.path
    assert (path / "a.txt").read_bytes() == b"one"
    assert (path / "link/b.txt").read_bytes() == b"two"
    assert os.access(path / "run.sh", os.X_OK)
    assert (path / "run.sh").stat().st_mtime_ns == LAST_WRITTEN
    assert (path / "link").lstat().st_mtime_ns == LAST_WRITTEN
    assert (path / "empty").stat().st_mode & 0o777 == 0o750
    assert (path / "empty").stat().st_mtime_ns == LAST_WRITTEN
    assert await directory.scan() is None
    await directory.close(Fate.KEEP)


async def test_a_scan_tells_what_was_written_and_removed_since_the_last_one(
    bench: FileBench,
) -> None:
    manifest = await bench.manifest_of({"kept": b"1", "changed": b"2", "removed": b"3"})
    directory = await bench.workspaces.open(uuid4(), manifest, RULES)
    (directory.path / "changed").unlink()
    (directory.path / "changed").write_bytes(b"other")
    (directory.path / "removed").unlink()
    (directory.path / "new").mkdir()
    (directory.path / "new/file").write_bytes(b"new")
    scan = await directory.scan()
    assert scan is not None
    assert set(scan.changes.written) == {"changed", "new/file"}
    assert scan.changes.removed == {"removed"}
    assert await bench.keep(directory) == scan.manifest
    assert await directory.scan() is None
    await directory.close(Fate.KEEP)


async def test_what_was_not_accepted_is_told_again(bench: FileBench) -> None:
    directory = await bench.workspaces.open(uuid4(), {}, RULES)
    (directory.path / "file").write_bytes(b"1")
    first, second = await directory.scan(), await directory.scan()
    assert first is not None
    assert second is not None
    assert first.changes == second.changes
    await directory.close(Fate.KEEP)


async def test_a_directory_that_holds_the_manifest_is_kept(bench: FileBench) -> None:
    thread_id = uuid4()
    directory = await bench.workspaces.open(thread_id, {}, RULES)
    (directory.path / "file").write_bytes(b"1")
    manifest = await bench.keep(directory)
    assert manifest
    before = directory.path.stat().st_ino
    await directory.close(Fate.KEEP)
    again = await bench.workspaces.open(thread_id, manifest, RULES)
    assert again.path.stat().st_ino == before
    await again.close(Fate.KEEP)


async def test_a_directory_that_holds_anything_else_is_swapped_for_a_fresh_one(
    bench: FileBench,
) -> None:
    thread_id = uuid4()
    manifest = await bench.manifest_of({"a": b"1"})
    directory = await bench.workspaces.open(thread_id, manifest, RULES)
    (directory.path / "left by a failed node").mkdir()
    os.mkfifo(directory.path / "fifo")
    await directory.close(Fate.KEEP)
    again = await bench.workspaces.open(thread_id, manifest, RULES)
    assert {item.name for item in again.path.iterdir()} == {"a"}
    assert {item.name for item in again.path.parent.iterdir()} == {"files", "lock", "index"}
    await again.close(Fate.KEEP)


async def test_a_workspace_in_use_is_not_opened_again(bench: FileBench) -> None:
    thread_id = uuid4()
    directory = await bench.workspaces.open(thread_id, {}, RULES)
    with pytest.raises(WorkspaceInUse, match=str(os.getpid())):
        await bench.workspaces.open(thread_id, {}, RULES)
    await directory.close(Fate.REMOVE)
    assert not directory.path.parent.exists()
    await (await bench.workspaces.open(thread_id, {}, RULES)).close(Fate.REMOVE)
