"""`wtb files` against a real API process."""

import asyncio
import json
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import pytest
from api_fixtures import ServedApi
from called_commands import Wtb, run_wtb
from stored_files import Contents, StoredExecution, StoredFiles, link_to

BEFORE = {"report.md": b"one\n", "models/a.bin": b"\0"}
AFTER: Contents = {
    "report.md": b"two\n",
    "models/a.bin": b"\0\1",
    "models/b/c.txt": b"c",
    "models-2": b"",
    "odd\x1b[31m": b"",
    "link": link_to("report.md"),
}


@pytest.fixture
def wtb(api: ServedApi, tmp_path: Path) -> Wtb:
    """`wtb files`, as a caller of the API in a folder of its own."""
    return partial(run_wtb, api, "files", folder=tmp_path)


@pytest.fixture
async def execution(stored: StoredFiles) -> StoredExecution:
    return await stored.execution(BEFORE, AFTER)


def written(folder: Path) -> dict[str, bytes]:
    files = [each for each in sorted(folder.rglob("*")) if each.is_file()]
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}


async def test_files_are_listed_at_any_checkpoint(wtb: Wtb, execution: StoredExecution) -> None:
    listed = json.loads((await wtb("ls", execution.id, "--json")).out)
    assert [each["path"] for each in listed] == sorted(AFTER)
    shown = await wtb("ls", execution.id)
    assert "lrwxrwxrwx" in shown.out
    assert "link -> report.md" in shown.out
    assert "\x1b" not in shown.out
    earlier = await wtb("ls", execution.id, "models/", "--at", execution.checkpoints[0], "--json")
    assert [each["path"] for each in json.loads(earlier.out)] == ["models/a.bin"]
    few = await wtb("ls", execution.id, "models", "--limit", 1, "--json")
    assert [each["path"] for each in json.loads(few.out)] == ["models/a.bin"]
    assert "more than 1" in few.err
    missing = await wtb("ls", execution.id, "model")
    assert (missing.code, missing.out) == (1, "")
    assert "no file or folder 'model'" in missing.err


async def test_a_file_is_printed(wtb: Wtb, execution: StoredExecution) -> None:
    assert (await wtb("cat", execution.id, "report.md")).out == "two\n"
    earlier = await wtb("cat", execution.id, "report.md", "--at", execution.checkpoints[0])
    assert earlier.out == "one\n"
    assert (await wtb("cat", execution.id, "none")).code == 1


async def test_differences_are_a_patch(
    wtb: Wtb, execution: StoredExecution, tmp_path: Path
) -> None:
    first = execution.checkpoints[0]
    told = await wtb("diff", execution.id, "report.md", "models", "--from", first)
    (tmp_path / "report.md").write_bytes(BEFORE["report.md"])
    process = await asyncio.create_subprocess_exec(
        *("git", "apply", "-"), cwd=tmp_path, stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(told.out.encode())
    assert process.returncode == 0
    assert written(tmp_path) == {"report.md": b"two\n", "models/b/c.txt": b"c"}
    assert "changed models/a.bin: 1 byte, sha256 6e340b9cffb3 -> 2 bytes" in told.out
    as_json = await wtb("diff", execution.id, "--against", execution.id, "--json")
    assert json.loads(as_json.out) == []
    assert (await wtb("diff", execution.id)).code == 2


async def test_a_folder_is_brought_here_whole_and_never_over_others(
    wtb: Wtb, execution: StoredExecution, tmp_path: Path
) -> None:
    told = await wtb("get", execution.id, "models", "--to", "out")
    assert told.code == 0, told.err
    models = {"models/a.bin": b"\0\1", "models/b/c.txt": b"c"}
    assert written(tmp_path / "out") == models
    (tmp_path / "out/models/a.bin").write_bytes(b"mine")
    (tmp_path / "out/models/b/c.txt").unlink()
    refused = await wtb("get", execution.id, "models", "--to", "out")
    assert (refused.code, "a.bin' is there already" in refused.err) == (1, True)
    assert written(tmp_path / "out") == {"models/a.bin": b"mine"}
    assert (await wtb("get", execution.id, "models", "--to", "out", "--force")).code == 0
    assert written(tmp_path / "out") == models
    assert (await wtb("get", execution.id, "models/b/c.txt")).code == 0
    assert (tmp_path / "c.txt").read_bytes() == b"c"


async def test_nothing_is_written_through_a_link_out_of_the_folder(
    wtb: Wtb, execution: StoredExecution, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/models").symlink_to(tmp_path / "outside")
    refused = await wtb("get", execution.id, "--to", "out", "--force")
    assert (refused.code, "a link leads out" in refused.err) == (1, True)
    assert written(tmp_path) == {}


async def test_links_are_left_out_and_told(wtb: Wtb, execution: StoredExecution) -> None:
    assert "left out: symlink link" in (await wtb("get", execution.id)).err


async def test_an_archive_has_everything(
    wtb: Wtb, execution: StoredExecution, tmp_path: Path
) -> None:
    assert (await wtb("archive", execution.id)).code == 0
    with tarfile.open(tmp_path / f"{execution.id}.tar.gz") as archive:
        assert archive.getnames() == sorted(AFTER)
    assert (await wtb("archive", execution.id)).code == 1
    assert (await wtb("archive", execution.id, "--force")).code == 0
    told = await wtb("archive", execution.id, "old.zip", "--at", execution.checkpoints[0])
    assert told.code == 0, told.err
    with zipfile.ZipFile(tmp_path / "old.zip") as zipped:
        assert zipped.namelist() == sorted(BEFORE)
    assert (await wtb("archive", execution.id, "old.rar")).code == 2
    assert sorted(written(tmp_path)) == [f"{execution.id}.tar.gz", "old.zip"]
