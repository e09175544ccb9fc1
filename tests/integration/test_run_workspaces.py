"""The workspace of a run: what it begins with, when it is kept, and how it is left."""

import tarfile
from pathlib import Path

import pytest
from arranging import select
from files_of_threads import count, files_at
from workshops import output_of, workshop

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.file_commit import FileKind
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.workspaces.lock import DirectoryLock

WRITE = "Path(workspace, 'out.txt').write_text('new')"
ASK = "str(workspace)"
DATA = {"a.txt": "first", "b/c.txt": "second"}


async def test_a_workspace_begins_with_the_source_folder_which_no_write_reaches(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    script = "p = Path(workspace, 'a.txt'); said.append(p.read_text()); p.write_text('changed')"
    async with workshop(database, database_url, tmp_path, source=DATA) as shop:
        done = await shop.run(first=script)
        assert output_of(done)["said"] == ["first"]
        assert (shop.source / "a.txt").read_text() == "first"
        assert sorted(await shop.manifest(done)) == ["a.txt", "b/c.txt"]
        [start, *_] = await checkpoints(database)
        assert done.thread_id is not None
        assert await files_at(database, done.thread_id, start) != await shop.manifest(done)


async def checkpoints(database: Database) -> list[str]:
    rows = await select(database, "SELECT checkpoint_id AS id FROM checkpoints ORDER BY 1")
    return [row["id"] for row in rows]


async def test_runs_that_change_nothing_share_the_one_commit_of_their_source(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with workshop(database, database_url, tmp_path, source=DATA) as shop:
        for first, third in (("", ""), (ASK, ""), (ASK, ASK)):
            done = await shop.run(first=first, third=third)
            assert done.status is ExecutionStatus.COMPLETED
        assert await count(database, "wtb_file_commits") == 1
        assert await count(database, "wtb_checkpoint_files") == 3
        (shop.source / "a.txt").write_text("newer")
        await shop.run()
        assert await count(database, "wtb_file_commits") == 2


async def test_files_are_kept_with_every_checkpoint_if_so_wanted(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with workshop(database, database_url, tmp_path, snapshots="superstep") as shop:
        script = f"{WRITE}; Path(workspace, 'mine').touch()"
        done = await shop.run(left=WRITE, right=script)
        assert sorted(await shop.manifest(done)) == ["mine", "out.txt"]
        assert await count(database, "wtb_file_commits") == 1
        tasks = await select(
            database, "SELECT task_id FROM wtb_checkpoint_files WHERE task_id <> ''"
        )
        assert tasks == []


async def test_files_are_kept_when_a_node_says_so(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with workshop(database, database_url, tmp_path, snapshots="manual") as shop:
        await shop.run(first=WRITE)
        assert await count(database, "wtb_file_commits") == 0
        done = await shop.run(first=WRITE, second="workspace.keep()")
        assert list(await shop.manifest(done)) == ["out.txt"]


async def test_attempts_of_a_node_go_on_with_what_the_last_one_left(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    script = "said.append(Path(workspace, 'out.txt').exists()); " + WRITE
    fail_once = f"{script}\nif not said[0]: 1 / 0"
    async with workshop(database, database_url, tmp_path) as shop:
        assert output_of(await shop.run(first=fail_once))["said"] == [True]


async def test_what_cannot_be_kept_fails_the_node_that_left_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    script = "import os; os.mkfifo(Path(workspace, 'pipe'))"
    async with workshop(database, database_url, tmp_path) as shop:
        failed = await shop.run(first=WRITE, second=script)
        assert failed.error is not None
        assert (failed.error.type, failed.error.node) == ("UnsupportedFile", "second")
        assert list(await shop.manifest(failed)) == ["out.txt"]
        assert "pipe" in failed.error.message


@pytest.mark.parametrize(
    ("limit", "value", "error"),
    [("MAX_FILES", 1, "TooManyFiles"), ("MAX_FILE_BYTES", 2, "FileTooLarge")],
)
async def test_limits_fail_the_node_and_not_its_runner(
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
    error: str,
) -> None:
    monkeypatch.setenv(f"WTB_FILES__{limit}", str(value))
    async with workshop(database, database_url, tmp_path) as shop:
        failed = await shop.run(first=WRITE + "; Path(workspace, 'more').touch()")
        assert failed.error is not None
        assert (failed.error.type, failed.error.node) == (error, "first")
        assert (await shop.run()).status is ExecutionStatus.COMPLETED


async def test_the_directory_is_kept_if_so_wanted_and_the_lock_is_not(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with workshop(database, database_url, tmp_path, when_ended="keep") as shop:
        done = await shop.run(first=WRITE)
        folder = shop.folder / "workspaces" / str(done.thread_id)
        assert (folder / "files" / "out.txt").read_text() == "new"
        DirectoryLock.take(folder).release()


async def test_the_files_are_archived_if_so_wanted(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with workshop(database, database_url, tmp_path, when_ended="archive") as shop:
        done = await shop.run(first=WRITE)
        with tarfile.open(shop.folder / "archives" / f"{done.id}.tar.gz") as archive:
            assert archive.getnames() == ["out.txt"]
        assert list((shop.folder / "workspaces").iterdir()) == []


async def test_a_run_that_takes_too_long_gives_its_lock_back(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with workshop(database, database_url, tmp_path, when_ended="keep") as shop:
        late = await shop.run({"timeout_seconds": 0.5}, first=WRITE, hang="")
        assert late.error is not None
        assert late.error.type == "TimeoutError"
        DirectoryLock.take(shop.folder / "workspaces" / str(late.thread_id)).release()
        assert list(await shop.manifest(late)) == ["out.txt"]


async def test_siblings_share_the_workspace(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with workshop(database, database_url, tmp_path) as shop:
        done = await shop.run(
            left="Path(workspace, 'left').touch()", right="Path(workspace, 'right').mkdir()"
        )
        manifest = await shop.manifest(done)
        assert {path: item.kind for path, item in manifest.items()} == {
            "left": FileKind.FILE,
            "right": FileKind.DIRECTORY,
        }


async def test_files_of_a_subgraph_s_nodes_are_there_when_it_goes_on(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    script = f"{WRITE}\nif not Path({str(mended)!r}).exists(): 1 / 0"
    async with workshop(database, database_url, tmp_path) as shop:
        failed = await shop.run(
            inner_first="Path(workspace, 'inner').touch(); said.append('once')",
            inner_second=script,
            left="said.append(sorted(file.name for file in Path(workspace).iterdir()))",
        )
        assert failed.status is ExecutionStatus.FAILED
        assert list(await shop.manifest(failed)) == ["inner"]
        mended.touch()
        done = await shop.bench.resume(failed.id)
        assert done.status is ExecutionStatus.COMPLETED
        assert output_of(done)["said"] == [["inner", "out.txt"]]
        assert list(await shop.manifest(done)) == ["inner", "out.txt"]


async def test_a_run_that_is_interrupted_begins_again_with_the_files_of_its_head(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    script = (
        "said.extend(sorted(file.name for file in Path(workspace).iterdir()))\n"
        "Path(workspace, 'partial').touch()\n"
        f"mended = Path({str(mended)!r})\n"
        "from wtb_async.domain.errors import TransientError\n"
        "if not mended.exists(): mended.touch(); raise TransientError('the database is away')"
    )
    async with workshop(database, database_url, tmp_path) as shop:
        done = await shop.run(first=WRITE, second=script)
        assert output_of(done)["said"] == ["out.txt"]
        assert sorted(await shop.manifest(done)) == ["out.txt", "partial"]


async def test_what_a_node_asks_about_is_there_while_it_waits(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    asks = "from langgraph.types import interrupt; said.append(interrupt('good?'))"
    async with workshop(database, database_url, tmp_path) as shop:
        waits = await shop.run(first=f"Path(workspace, 'draft').write_text('x'); {asks}")
        assert waits.status is ExecutionStatus.PAUSED
        assert list(await shop.manifest(waits)) == ["draft"]
        done = await shop.bench.resume(waits.id, answers="yes")
        assert output_of(done)["said"] == ["yes"]
        assert list(await shop.manifest(done)) == ["draft"]
