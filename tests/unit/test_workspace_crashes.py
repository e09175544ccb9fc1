"""A process that dies while it swaps a directory leaves what the next one can go on with."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workspaces import RULES, FileBench, file_bench

from wtb_async.domain.file_commit import Blob, Manifest
from wtb_async.infrastructure.workspaces.clock import ClockReader
from wtb_async.infrastructure.workspaces.linking import Linking
from wtb_async.infrastructure.workspaces.stored import LASTING, StoredWorkspace

_DIED = 9
_ENOUGH = 400
"""Steps of a swap at most; a test that needs more does not end by itself."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


def die_at_step(number: int) -> None:
    """Let this process die when it does something with files for the nth time."""
    left = number

    def count(event: str, _: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "open" or event.startswith("os."):
            left -= 1
            if left == 0:
                os._exit(_DIED)

    sys.addaudithook(count)


def swap_until(
    number: int, stored: StoredWorkspace, manifest: Manifest, sources: dict[Blob, Path]
) -> bool:
    """Swap in a child process that dies at a step; answers whether it was done before."""
    child = os.fork()
    if child == 0:
        die_at_step(number)
        stored.replace(manifest, sources, Linking.COPY)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, _DIED}
    return code == 0


def look(folder: Path) -> dict[str, bytes]:
    return {
        str(item.relative_to(folder)): item.read_bytes()
        for item in folder.rglob("*")
        if item.is_file()
    }


async def test_a_crash_leaves_the_old_files_the_new_ones_or_what_is_filled_again(
    bench: FileBench,
) -> None:
    contents = {"old": {"a": b"1", "both": b"2"}, "new": {"b/c": b"3", "both": b"4"}}
    manifests = {name: await bench.manifest_of(files) for name, files in contents.items()}
    blobs = {item.blob for manifest in manifests.values() for item in manifest.values()}
    sources = await bench.blobs.local_files([blob for blob in blobs if blob])
    folder = bench.folder / "workspace"
    folder.mkdir()
    stored = StoredWorkspace(folder, RULES, ClockReader(bench.folder))
    held = set()
    for step in range(1, _ENOUGH):
        stored.replace(manifests["old"], sources, Linking.COPY)
        done = swap_until(step, stored, manifests["new"], sources)
        for name, manifest in manifests.items():
            if stored.index_if_it_holds(manifest):
                held.add(name)
                assert look(stored.files) == contents[name]
        if done:
            break
    assert done
    assert held == {"old", "new"}
    stored.replace(manifests["old"], sources, Linking.COPY)
    assert look(stored.files) == contents["old"]
    assert {item.name for item in folder.iterdir()} <= LASTING
