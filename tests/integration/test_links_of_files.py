"""Links between files and checkpoints, as the saver writes them beside the checkpoints."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from arranging import select
from file_history import keep_manifests, manifest_of
from forking import begin_thread
from savers import group_commit_saver, on, put

from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.postgres.database import Database


@pytest.fixture
async def saver(database_url: str) -> AsyncIterator[GroupCommitSaver]:
    async with group_commit_saver(database_url) as made:
        yield made


@pytest.fixture
async def thread(database: Database) -> UUID:
    return await begin_thread(database)


async def commits(database: Database, count: int) -> list[UUID]:
    manifests = [manifest_of(a=f"{number}") for number in range(count)]
    return await keep_manifests(database.unit_of_work(), *manifests)


async def links(database: Database, thread: UUID) -> list[tuple[str, str, UUID]]:
    rows = await select(database, LINKS, thread=thread)
    return [(row["checkpoint_id"], row["task_id"], row["commit_id"]) for row in rows]


LINKS = """
SELECT checkpoint_id, task_id, commit_id FROM wtb_checkpoint_files
WHERE thread_id = :thread ORDER BY position
"""


async def finish_task(saver: GroupCommitSaver, thread: UUID, checkpoint: str, task: str) -> None:
    config = on(str(thread))
    config["configurable"]["checkpoint_id"] = checkpoint
    await saver.aput_writes(config, [("a", 1)], task)


async def test_files_are_linked_to_the_task_that_left_them_and_to_the_next_checkpoint(
    saver: GroupCommitSaver, database: Database, thread: UUID
) -> None:
    one, two = await commits(database, 2)
    files = saver.files.open(str(thread))
    first = await put(saver, str(thread), n=1)
    files.newest = one
    await finish_task(saver, thread, first, "task")
    await finish_task(saver, thread, first, "one that changed nothing")
    second = await put(saver, str(thread), n=2)
    third = await put(saver, str(thread), n=3)
    files.newest = two
    fourth = await put(saver, str(thread), n=4)
    assert third
    assert await links(database, thread) == [
        (first, "task", one),
        (second, "", one),
        (fourth, "", two),
    ]


async def test_a_thread_without_files_has_no_links(
    saver: GroupCommitSaver, database: Database, thread: UUID
) -> None:
    checkpoint = await put(saver, str(thread), n=1)
    await finish_task(saver, thread, checkpoint, "task")
    assert await links(database, thread) == []


async def test_links_that_are_sent_again_are_there_once(
    saver: GroupCommitSaver, database: Database, thread: UUID
) -> None:
    made = await commits(database, 20)
    files = saver.files.open(str(thread))
    checkpoints = []
    for commit in made:
        files.newest = commit
        checkpoints.append(await put(saver, str(thread), n=1))
        await select(database, TERMINATE_WRITERS)
    assert await links(database, thread) == [
        (checkpoint, "", commit) for checkpoint, commit in zip(checkpoints, made, strict=True)
    ]


TERMINATE_WRITERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'writer'
"""


async def test_the_newest_files_of_a_superstep_have_the_last_link(
    saver: GroupCommitSaver, database: Database, thread: UUID
) -> None:
    made = await commits(database, 20)
    files = saver.files.open(str(thread))
    checkpoint = await put(saver, str(thread), n=1)
    tasks = []
    for number, commit in enumerate(made):
        files.newest = commit
        work = finish_task(saver, thread, checkpoint, f"{number}")
        tasks.append(asyncio.create_task(work))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert (await links(database, thread))[-1][2] == made[-1]
