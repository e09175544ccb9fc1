"""Scans of a workspace while another node goes on writing to it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from workspaces import RULES, FileBench, file_bench

from wtb_async.infrastructure.workspaces.directory import Fate

LINE = b"one more line of a log\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


async def test_a_log_that_grows_all_the_time_is_kept_as_far_as_it_was_read(
    bench: FileBench,
) -> None:
    directory = await bench.workspaces.open(uuid4(), {}, RULES)
    log, enough = directory.path / "log", threading.Event()
    log.write_bytes(LINE * 10_000)

    def write_on() -> None:
        with log.open("ab", buffering=0) as file:
            while not enough.is_set() and file.tell() < 1_000_000:
                file.write(LINE)

    writing = threading.Thread(target=write_on)
    writing.start()
    try:
        manifest = await bench.keep(directory)
    finally:
        enough.set()
        writing.join()
    assert manifest is not None
    blob = manifest["log"].blob
    assert blob
    kept = (await bench.blobs.local_file(blob)).read_bytes()
    written = log.read_bytes()
    assert written.startswith(kept)
    assert len(kept) >= len(LINE) * 10_000
    if written != kept:
        assert await bench.keep(directory)
    assert await directory.scan() is None
    await directory.close(Fate.REMOVE)
