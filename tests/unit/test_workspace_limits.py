"""What a workspace may not hold fails the scan with an error that names it."""

import os
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from workspaces import LIMITS, RULES, FileBench, file_bench

from wtb_async.domain.errors import WtbError
from wtb_async.domain.file_limits import (
    CaseCollision,
    FileLimits,
    FileTooLarge,
    TooManyFiles,
    UnsupportedFile,
    WorkspaceTooLarge,
)
from wtb_async.domain.file_path import UnsafePath
from wtb_async.infrastructure.workspaces.directory import Fate, WorkspaceDirectory
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.walk import MAX_DEPTH

FEW = replace(LIMITS, max_files=5)
SMALL = replace(LIMITS, max_file_bytes=10)
TIGHT = replace(LIMITS, max_workspace_bytes=10)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


@pytest.fixture
async def directory(bench: FileBench) -> AsyncIterator[WorkspaceDirectory]:
    opened = await bench.workspaces.open(uuid4(), {}, RULES)
    yield opened
    await opened.close(Fate.REMOVE)


async def refused(directory: WorkspaceDirectory, error: type[WtbError], shown: str) -> None:
    with pytest.raises(error) as caught:
        await directory.scan()
    assert shown in str(caught.value)


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "a/../../x", "d/..", "../files/a"])
async def test_links_that_lead_out_are_refused(directory: WorkspaceDirectory, target: str) -> None:
    (directory.path / "leads out").symlink_to(target)
    await refused(directory, UnsafePath, "leads out")


async def test_links_that_stay_inside_are_kept(directory: WorkspaceDirectory) -> None:
    (directory.path / "a/b").mkdir(parents=True)
    (directory.path / "a/b/up").symlink_to("../../elsewhere/./x")
    (directory.path / "loop").symlink_to("loop")
    scan = await directory.scan()
    assert scan is not None
    assert scan.manifest["a/b/up"].target == "../../elsewhere/./x"
    assert scan.manifest["loop"].target == "loop"


async def test_what_is_no_file_is_refused(directory: WorkspaceDirectory) -> None:
    os.mkfifo(directory.path / "fifo")
    await refused(directory, UnsupportedFile, "fifo")
    (directory.path / "fifo").unlink()
    os.mknod(directory.path / "socket", stat.S_IFSOCK)
    await refused(directory, UnsupportedFile, "socket")


async def test_a_hard_link_to_a_file_outside_is_refused(
    directory: WorkspaceDirectory, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("canary")
    (directory.path / "inside").hardlink_to(tmp_path / "outside")
    await refused(directory, UnsupportedFile, "inside")


async def test_hard_links_within_a_workspace_are_two_files(directory: WorkspaceDirectory) -> None:
    (directory.path / "one").write_text("1")
    (directory.path / "two").hardlink_to(directory.path / "one")
    scan = await directory.scan()
    assert scan is not None
    assert scan.manifest["one"] == scan.manifest["two"]


async def test_a_hard_link_to_a_blob_that_the_workspace_was_not_given_is_refused(
    bench: FileBench, directory: WorkspaceDirectory
) -> None:
    memento = await bench.memento_of(b"of somebody else")
    assert memento.blob
    blob = await bench.blobs.local_file(memento.blob)
    (directory.path / "taken").hardlink_to(blob)
    await refused(directory, UnsupportedFile, "taken")


@pytest.mark.parametrize("name", [b"\xff", b"back\\slash", b"C:drive"])
async def test_names_that_cannot_be_kept_are_refused(
    directory: WorkspaceDirectory, name: bytes
) -> None:
    (directory.path / os.fsdecode(name)).touch()
    await refused(directory, UnsafePath, "cannot be a file of a workspace")


@pytest.mark.parametrize(
    ("one", "other"), [("Read.me", "READ.ME"), ("é", "e\u0301"), ("straße", "STRASSE")]
)
async def test_names_that_differ_by_case_only_are_refused(
    directory: WorkspaceDirectory, one: str, other: str
) -> None:
    (directory.path / "folder").mkdir()
    (directory.path / "folder" / one).touch()
    (directory.path / "folder" / other).mkdir()
    await refused(directory, CaseCollision, "folder/")


async def test_a_path_that_is_too_deep_is_refused_and_still_removed(
    directory: WorkspaceDirectory,
) -> None:
    opened = os.open(directory.path, os.O_RDONLY)
    for _ in range(MAX_DEPTH * 10):
        os.mkdir("d", dir_fd=opened)
        inner = os.open("d", os.O_RDONLY, dir_fd=opened)
        os.close(opened)
        opened = inner
    os.close(opened)
    await refused(directory, UnsafePath, "folders deep")


async def test_a_directory_that_was_replaced_is_refused(
    directory: WorkspaceDirectory, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/canary").touch()
    directory.path.rmdir()
    directory.path.symlink_to(tmp_path / "outside")
    await refused(directory, UnsupportedFile, "removed or replaced")


@pytest.mark.parametrize(
    ("limits", "error"), [(FEW, TooManyFiles), (SMALL, FileTooLarge), (TIGHT, WorkspaceTooLarge)]
)
async def test_limits_stop_a_scan(
    bench: FileBench, limits: FileLimits, error: type[WtbError]
) -> None:
    directory = await bench.workspaces.open(uuid4(), {}, WorkspaceRules(limits=limits))
    for number in range(6):
        (directory.path / f"{number}").write_bytes(b"x" * (2 * number + 1))
    await refused(directory, error, "")
    await directory.close(Fate.REMOVE)


async def test_a_million_directories_would_be_too_many_too(bench: FileBench) -> None:
    directory = await bench.workspaces.open(uuid4(), {}, WorkspaceRules(limits=FEW))
    (directory.path / "a/b/c/d/e/f").mkdir(parents=True)
    await refused(directory, TooManyFiles, "a/b")
    await directory.close(Fate.REMOVE)


async def test_ignored_paths_are_not_even_entered(bench: FileBench) -> None:
    rules = WorkspaceRules(limits=LIMITS, ignore=("*.tmp", "!kept.tmp", "cache/", "/top"))
    directory = await bench.workspaces.open(uuid4(), {}, rules)
    for folder in ("cache/deep", "sub/cache", "sub/top"):
        (directory.path / folder).mkdir(parents=True)
    os.mkfifo(directory.path / "cache/deep/fifo")
    for name in ("a.tmp", "kept.tmp", "top", "sub/top/file", "sub/cache/file", "b.txt"):
        (directory.path / name).touch()
    scan = await directory.scan()
    assert scan is not None
    assert set(scan.manifest) == {"kept.tmp", "sub/top/file", "b.txt"}
    directory.accept(scan)
    (directory.path / "cache/another").touch()
    (directory.path / "another.tmp").touch()
    assert await directory.scan() is None
    await directory.close(Fate.REMOVE)
