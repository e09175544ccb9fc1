"""Files through the SDK, over a real API process and in this one."""

import asyncio
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_fixtures import ServedApi
from arranging import API_KEY
from blob_stores import blob_of
from langchain_core.runnables import RunnableConfig
from local_benches import Words, words_project
from stored_files import StoredFiles

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.file_difference import FileChange
from wtb_async.infrastructure.files.object_key import object_key
from wtb_async.sdk.bench import WTBTestBench
from wtb_async.sdk.errors import ApiError, ServerUnreachable
from wtb_async.sdk.files import Files
from wtb_async.sdk.saving import AlreadyThere, NotSaved

LARGE = os.urandom(5 << 20)


@pytest.fixture
async def files(api: ServedApi) -> AsyncIterator[Files]:
    async with WTBTestBench.connect(api.url, api_key=API_KEY) as bench:
        yield bench.files


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_files_are_walked_read_and_compared(files: Files, stored: StoredFiles) -> None:
    names = ["a b", "c/é?#%.txt", "diff", "e"]
    execution = await stored.execution({}, {name: name.encode() for name in names})
    first, second, *_ = execution.checkpoints
    walked = [each async for each in files.list(execution.id, page_size=1)]
    assert [each.path for each in walked] == names
    for each in walked:
        assert await files.read(execution.id, each.path, checkpoint_id=second) == each.path.encode()
    found = files.diff(execution.id, from_checkpoint=first, paths=["c"], page_size=1)
    [difference] = [each async for each in found]
    assert (difference.path, difference.change) == ("c/é?#%.txt", FileChange.ADDED)
    with pytest.raises(ApiError, match="there is no file 'e'"):
        await files.read(execution.id, "e", checkpoint_id=first)


async def test_downloads_are_whole_or_not_there(
    files: Files, stored: StoredFiles, api: ServedApi, tmp_path: Path
) -> None:
    execution = await stored.execution({"large": LARGE})
    place, sizes = tmp_path / "large", list[int]()
    assert await files.download(execution.id, "large", place, on_piece=sizes.append) == place
    assert (place.read_bytes() == LARGE, sum(sizes)) == (True, len(LARGE))
    with pytest.raises(AlreadyThere):
        await files.download(execution.id, "large", place)
    with pytest.raises(NotSaved):
        await files.download(execution.id, "large", tmp_path / "none" / "large")
    object_file = api.files / object_key(blob_of(LARGE).sha256)
    object_file.chmod(0o644)
    object_file.write_bytes(LARGE[:-1] + b"?")
    with pytest.raises(ServerUnreachable):
        await files.download(execution.id, "large", place, overwrite=True)
    with pytest.raises(ServerUnreachable):
        await files.download_archive(execution.id, tmp_path / "all.zip", "zip")
    assert place.read_bytes() == LARGE
    assert names_in(tmp_path) == ["large"]


def write(state: Words, config: RunnableConfig) -> Words:
    """A node that leaves each word in a file of its own, and in one of all."""
    workspace = Path(config["configurable"]["wtb_workspace"])
    for word in (words := state["text"].split()):
        (workspace / word).write_text(word)
    (workspace / "all").write_text("\n".join(words) + "\n")
    return {"words": words}


async def sign(state: Words, config: RunnableConfig) -> Words:
    """A node that goes on in the same files."""
    path = Path(config["configurable"]["wtb_workspace"]) / "all"
    path.write_text(await asyncio.to_thread(path.read_text) + "signed\n")
    return {"answer": " ".join(state["words"])}


async def test_what_nodes_of_a_local_bench_write_is_read_at_every_checkpoint(
    bench: WTBTestBench, tmp_path: Path
) -> None:
    await bench.register_project(words_project(first=write, second=sign))
    execution = await bench.run("words", {"text": "a b"})
    assert execution.status is ExecutionStatus.COMPLETED, execution.error
    assert [each.path async for each in bench.files.list(execution.id)] == ["a", "all", "b"]
    newest, before_signing, at_first, *_ = await bench.get_checkpoints(execution.id)
    assert newest.file_commit_id != before_signing.file_commit_id
    assert [each async for each in bench.files.list(execution.id, checkpoint_id=at_first.id)] == []
    signed = bench.files.diff(execution.id, from_checkpoint=before_signing.id)
    assert [each.diff async for each in signed] == [
        "--- a/all\n+++ b/all\n@@ -1,2 +1,3 @@\n a\n b\n+signed\n"
    ]
    await bench.rollback(execution.id, before_signing.id)
    assert await bench.files.read(execution.id, "all") == b"a\nb\n"
    assert await bench.files.read(execution.id, "all", checkpoint_id=newest.id) == b"a\nb\nsigned\n"
    archive = await bench.files.download_archive(execution.id, tmp_path / "all.tar.gz")
    with tarfile.open(archive) as packed:
        assert packed.getnames() == ["a", "all", "b"]
