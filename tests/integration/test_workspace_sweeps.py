"""Sweeps: a workspace stays as long as an execution needs it or somebody works in it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from arranging import accept, change, register, select
from workspaces import RULES, FileBench, file_bench

from wtb_async.application.files.sweep_workspaces import sweep_workspaces
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.workspaces.directory import Fate
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.sweep import SweptWorkspaces

KEEPING = replace(RULES, keep_when_ended=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


async def sweep(database: Database, bench: FileBench, host: str = "here") -> int:
    disk = SweptWorkspaces(bench.folder / "files", bench.threads)
    return await sweep_workspaces(database.unit_of_work, disk, host=host)


async def leave(bench: FileBench, thread_id: UUID, rules: WorkspaceRules = RULES) -> Path:
    """A directory as a runner leaves it."""
    directory = await bench.workspaces.open(thread_id, {}, rules)
    await directory.close(Fate.KEEP)
    return directory.path.parent


async def threads_of(database: Database, count: int) -> list[UUID]:
    """The threads of executions that have been accepted."""
    workflow = await register(database.unit_of_work, "letters")
    await accept(database.unit_of_work, workflow, count)
    rows = await select(database, "SELECT thread_id FROM wtb_executions ORDER BY id")
    return [UUID(str(row["thread_id"])) for row in rows]


async def end(database: Database, *threads: UUID) -> None:
    for thread_id in threads:
        await change(
            database,
            "UPDATE wtb_executions SET status = 'completed' WHERE thread_id = :thread_id",
            thread_id=thread_id,
        )


async def test_only_what_nobody_needs_is_removed(database: Database, bench: FileBench) -> None:
    going_on, ended, kept, locked = await threads_of(database, 4)
    await end(database, ended, kept, locked)
    folders = {
        going_on: await leave(bench, going_on),
        kept: await leave(bench, kept, KEEPING),
    }
    gone = [await leave(bench, ended), await leave(bench, uuid4(), KEEPING)]
    in_work = await bench.workspaces.open(locked, {}, RULES)
    assert await sweep(database, bench) == 2
    assert not any(folder.exists() for folder in gone)
    assert all(folder.exists() for folder in folders.values())
    assert in_work.path.exists()
    present = await select(database, "SELECT thread_id, path FROM wtb_workspaces")
    assert {UUID(str(row["thread_id"])): Path(row["path"]).parent for row in present} == {
        **folders,
        locked: in_work.path.parent,
    }
    await in_work.close(Fate.REMOVE)


async def test_removed_workspaces_are_marked_for_their_machine_alone(
    database: Database, bench: FileBench
) -> None:
    (thread_id,) = await threads_of(database, 1)
    await leave(bench, thread_id)
    await sweep(database, bench, "here")
    await sweep(database, bench, "there")
    await end(database, thread_id)
    assert await sweep(database, bench, "here") == 1
    rows = await select(database, "SELECT host, removed_at FROM wtb_workspaces")
    assert {row["host"]: row["removed_at"] is None for row in rows} == {
        "here": False,
        "there": True,
    }


async def test_a_machine_without_workspaces_asks_nothing(
    database: Database, tmp_path: Path, bench: FileBench
) -> None:
    disk = SweptWorkspaces(tmp_path / "elsewhere", bench.threads)
    await database.close()
    assert await sweep_workspaces(database.unit_of_work, disk, host="here") == 0


async def test_what_crashes_left_is_removed_from_workspaces_that_stay(
    database: Database, bench: FileBench
) -> None:
    (thread_id,) = await threads_of(database, 1)
    folder = await leave(bench, thread_id)
    for name in ("fresh/deep", "former", "copied-1"):
        (folder / name).mkdir(parents=True)
    assert await sweep(database, bench) == 0
    assert {item.name for item in folder.iterdir()} == {"files", "index", "lock"}
