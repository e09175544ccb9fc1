"""Whatever a node does in its workspace, nothing outside is read or written for it."""

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workspaces import LAST_WRITTEN, RULES, FileBench, file_bench

from wtb_async.domain.errors import WtbError
from wtb_async.domain.file_commit import FileKind, FileMemento, Manifest
from wtb_async.infrastructure.workspaces.directory import Fate, WorkspaceDirectory

CANARY = b"a secret that is nobody's business"
CANARY_HASH = hashlib.sha256(CANARY).hexdigest()

names = st.sampled_from(["a", "b", "c"])
inner_paths = st.lists(names, min_size=1, max_size=3).map("/".join)
targets = st.one_of(
    st.sampled_from(["OUTSIDE", "OUTSIDE/canary", "/", "..", "../..", ".", "a", "./b/", "a/../b"]),
    st.lists(st.sampled_from(["..", "a", "b", "OUT"]), min_size=1, max_size=4).map("/".join),
)


def make_folder(root: Path, path: str, _: str) -> None:
    (root / path).mkdir()


def make_file(root: Path, path: str, target: str) -> None:
    descriptor = os.open(root / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
    os.write(descriptor, target.encode())
    os.close(descriptor)


def make_symlink(root: Path, path: str, target: str) -> None:
    (root / path).symlink_to(target)


def make_hard_link(root: Path, path: str, target: str) -> None:
    os.link(target, root / path, follow_symlinks=False)


def move(root: Path, path: str, target: str) -> None:
    (root / path).rename(root / target.lstrip("/"))


ACTIONS: tuple[Callable[[Path, str, str], None], ...] = (
    make_folder,
    make_file,
    make_symlink,
    make_symlink,
    make_hard_link,
    move,
)
steps = st.lists(st.tuples(st.sampled_from(ACTIONS), inner_paths, targets), max_size=12)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


def look(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything about a tree that writing to it would change."""
    return {
        str(item): (
            item.lstat().st_mode,
            item.lstat().st_mtime_ns,
            item.read_bytes() if item.is_file() else b"",
        )
        for item in [folder, *folder.rglob("*")]
    }


def arrange_outside(folder: Path) -> Path:
    outside = folder / "outside"
    (outside / "a").mkdir(parents=True)
    for place in (outside / "canary", outside / "a/b"):
        place.write_bytes(CANARY)
    return outside


def is_below(root: Path, place: Path) -> bool:
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(root))


def is_inside(root: Path, path: str) -> bool:
    """Whether something made at this path would be inside."""
    return is_below(root, (root / path).parent) and not path.endswith(("..", ".", "/"))


def act(root: Path, outside: Path, steps: list[tuple[Callable[..., None], str, str]]) -> None:
    """A node that does what it can, short of writing outside by itself."""
    for action, path, target in steps:
        aimed = target.replace("OUTSIDE", str(outside))
        if is_inside(root, path) and (action is not move or is_inside(root, aimed)):
            try:
                action(root, path, aimed)
            except OSError:
                continue


async def keep_if_possible(bench: FileBench, directory: WorkspaceDirectory) -> Manifest:
    try:
        return await bench.keep(directory) or {}
    except WtbError:
        return {}


def leading_out(root: Path, manifest: Manifest) -> list[str]:
    """Paths that lead out when they are followed."""
    return [path for path in manifest if not is_below(root, root / path)]


def has_canary(manifest: Manifest) -> bool:
    return any(item.blob and item.blob.sha256 == CANARY_HASH for item in manifest.values())


async def try_steps(folder: Path, taken: list[tuple[Callable[..., None], str, str]]) -> None:
    outside = arrange_outside(folder)
    with file_bench(folder) as bench:
        directory = await bench.workspaces.open(uuid4(), {}, RULES)
        act(directory.path, outside, taken)
        before = look(outside)
        manifest = await keep_if_possible(bench, directory)
        assert not has_canary(manifest)
        again = await bench.workspaces.open(uuid4(), manifest, RULES)
        assert not leading_out(again.path, manifest)
        await again.close(Fate.REMOVE)
        await directory.close(Fate.REMOVE)
        assert look(outside) == before


@settings(max_examples=60, deadline=None)
@given(steps)
def test_nothing_outside_is_read_or_written(
    taken: list[tuple[Callable[..., None], str, str]],
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(try_steps(Path(folder), taken))


async def test_a_directory_that_becomes_a_link_during_a_scan_leads_nowhere(
    bench: FileBench, tmp_path: Path
) -> None:
    outside = arrange_outside(tmp_path)
    directory = await bench.workspaces.open(uuid4(), {}, RULES)
    root, stop = directory.path, threading.Event()
    (root / "a").mkdir()
    (root / "a/b").write_bytes(b"inside")

    def swap_back_and_forth() -> None:
        while not stop.is_set():
            (root / "a").rename(root / "kept")
            (root / "a").symlink_to(outside / "a")
            (root / "a").unlink()
            (root / "kept").rename(root / "a")

    swapping = threading.Thread(target=swap_back_and_forth)
    swapping.start()
    try:
        for _ in range(200):
            assert not has_canary(await keep_if_possible(bench, directory))
    finally:
        stop.set()
        swapping.join()
    await directory.close(Fate.REMOVE)
    assert (outside / "a/b").read_bytes() == CANARY


async def test_no_manifest_can_make_files_outside(bench: FileBench, tmp_path: Path) -> None:
    outside = arrange_outside(tmp_path)
    before = look(outside)
    link = FileMemento(
        kind=FileKind.SYMLINK, mode=0o777, mtime_ns=LAST_WRITTEN, target=str(outside)
    )
    manifest = {"a": link, "a/new": await bench.memento_of(b"1")}
    with pytest.raises(FileExistsError):
        await bench.workspaces.open(uuid4(), manifest, RULES)
    assert look(outside) == before
