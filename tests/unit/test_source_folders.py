"""Source folders: read once per change, by all who begin together, and never written to."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from workspaces import LIMITS, RULES

from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.workspaces.joining import JoinedWork
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.sources import SourceFolders


@pytest.fixture
def threads() -> Iterator[FileThreads]:
    threads = FileThreads(2)
    yield threads
    threads.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source/folder").mkdir(parents=True)
    (tmp_path / "source/data.csv").write_text("1")
    (tmp_path / "source/folder/more.tmp").write_text("2")
    return tmp_path / "source"


async def test_a_source_is_what_its_folder_holds(
    source: Path, tmp_path: Path, threads: FileThreads
) -> None:
    (tmp_path / "elsewhere").hardlink_to(source / "data.csv")
    sources = SourceFolders(tmp_path / "files", threads)
    rules = WorkspaceRules(limits=LIMITS, ignore=("*.tmp",))
    scan = await sources.read(source, rules)
    assert set(scan.manifest) == {"data.csv", "folder"}
    assert set((await sources.read(source, RULES)).manifest) == {"data.csv", "folder/more.tmp"}
    assert scan.changes.written == scan.manifest


async def test_only_what_was_changed_is_another_object_then(
    source: Path, tmp_path: Path, threads: FileThreads
) -> None:
    sources = SourceFolders(tmp_path / "files", threads)
    before = (await sources.read(source, RULES)).manifest
    (source / "data.csv").write_text("3")
    after = (await sources.read(source, RULES)).manifest
    assert after["data.csv"].blob != before["data.csv"].blob
    assert after["folder/more.tmp"] == before["folder/more.tmp"]


async def test_a_source_that_was_in_place_written_is_read_again_by_the_next_process(
    source: Path, tmp_path: Path, threads: FileThreads
) -> None:
    before = (await SourceFolders(tmp_path / "files", threads).read(source, RULES)).manifest
    status = (source / "data.csv").stat()
    (source / "data.csv").write_text("9")
    os.utime(source / "data.csv", ns=(status.st_atime_ns, status.st_mtime_ns))
    after = (await SourceFolders(tmp_path / "files", threads).read(source, RULES)).manifest
    assert after["data.csv"].blob != before["data.csv"].blob


async def test_a_source_that_is_not_there_is_not_found(
    tmp_path: Path, threads: FileThreads
) -> None:
    with pytest.raises(NotFound, match="source folder"):
        await SourceFolders(tmp_path / "files", threads).read(tmp_path / "nowhere", RULES)


async def test_those_who_ask_together_share_the_work_and_later_ones_get_the_next() -> None:
    begun: asyncio.Queue[asyncio.Future[str]] = asyncio.Queue()

    async def work() -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        begun.put_nowait(answer)
        return await answer

    joined = JoinedWork(work)
    together = [asyncio.create_task(joined.result()) for _ in range(3)]
    first = await begun.get()
    later = [asyncio.create_task(joined.result()) for _ in range(2)]
    await asyncio.sleep(0)
    first.set_result("first")
    assert await asyncio.gather(*together) == ["first"] * 3
    (await begun.get()).set_result("second")
    assert await asyncio.gather(*later) == ["second"] * 2
