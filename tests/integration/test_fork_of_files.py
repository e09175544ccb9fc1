"""A fork takes along which files belong to its checkpoints and to the tasks it keeps."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

from arranging import select
from file_history import keep_manifests, manifest_of
from forking import finished, fork
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from savers import stock_saver
from sqlalchemy import insert

from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.infrastructure.postgres.file_tables import checkpoint_files
from wtb_async.settings import asyncpg_url

STEPS = 5
"""The checkpoints of a run of three nodes."""

Link = tuple[int, str]
"""The place of a checkpoint from the beginning, and a task that has finished after it, or ''."""

links = st.lists(
    st.tuples(st.integers(0, STEPS - 1), st.sampled_from(["", "one", "two"])), unique=True
).map(lambda found: sorted(found, key=lambda link: link[0]))


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(links=links, place=st.none() | st.integers(0, STEPS - 1), keeps_writes=st.booleans())
def test_a_fork_has_the_files_up_to_its_head_and_those_of_the_tasks_it_keeps(
    database_url: str, links: list[Link], place: int | None, *, keeps_writes: bool
) -> None:
    asyncio.run(_fork_and_compare(database_url, links, place, keeps_writes=keeps_writes))


async def _fork_and_compare(
    url: str, links: Sequence[Link], place: int | None, *, keeps_writes: bool
) -> None:
    async with AsyncExitStack() as stack:
        database = open_database(asyncpg_url(url), pool_size=2, application_name="test")
        stack.push_async_callback(database.close)
        saver = await stack.enter_async_context(stock_saver(url))
        source = await finished(database, saver, ["plain"] * 3)
        timeline = [row["id"] for row in await select(database, TIMELINE, thread=str(source))]
        assert len(timeline) == STEPS
        made = await link(database, source, [(timeline[step], task) for step, task in links])
        chosen = None if place is None else timeline[place]
        [copy] = await fork(database, source, chosen, keeps_writes=keeps_writes)
        head = STEPS - 1 if place is None else place
        assert await linked(database, copy) == [
            row
            for row, (step, task) in zip(made, links, strict=True)
            if (not task and step <= head) or (keeps_writes and step == head)
        ]


TIMELINE = """
SELECT checkpoint_id AS id FROM checkpoints WHERE thread_id = :thread ORDER BY checkpoint_id
"""


async def link(
    database: Database, thread: UUID, links: Sequence[tuple[str, str]]
) -> list[tuple[str, str, UUID]]:
    """Give each of these a commit of its own; answers the rows."""
    manifests = [manifest_of(a=f"{number}") for number in range(len(links))]
    commits = await keep_manifests(database.unit_of_work(), *manifests)
    rows = [(*each, commit) for each, commit in zip(links, commits, strict=True)]
    async with database.engine.begin() as connection:
        for checkpoint_id, task_id, commit_id in rows:
            values = {"checkpoint_id": checkpoint_id, "task_id": task_id, "commit_id": commit_id}
            await connection.execute(insert(checkpoint_files).values(thread_id=thread, **values))
    return rows


async def linked(database: Database, thread: UUID) -> list[tuple[str, str, UUID]]:
    """What a thread has, in the order in which it came about."""
    found = await select(database, LINKED, thread=thread)
    return [(row["checkpoint_id"], row["task_id"], row["commit_id"]) for row in found]


LINKED = """
SELECT checkpoint_id, task_id, commit_id FROM wtb_checkpoint_files
WHERE thread_id = :thread ORDER BY position
"""
