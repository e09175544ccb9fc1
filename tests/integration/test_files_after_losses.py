"""Whatever a run is lost at, the next one has the files of every node that had finished."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from factories import new_settings
from files_of_threads import files_of
from forking import INPUT, begin_thread, fork
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matrices import Silent, VariedGraphs
from passages import FAR, answers_to, claimed_run
from random_graphs import ON_NODE, build_plan, plans
from savers import group_commit_saver

from wtb_async.application.runs.claims import RunOutcome
from wtb_async.application.runs.signals import RunSignals
from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.bootstrap.platform import Platform
from wtb_async.bootstrap.workspaces import ProcessWorkspaces
from wtb_async.domain.file_commit import Blob
from wtb_async.domain.run import ForkReason, RunStatus
from wtb_async.infrastructure.checkpoints.answers import answer_interrupts
from wtb_async.infrastructure.langgraph.active_run import ACTIVE_RUN
from wtb_async.infrastructure.langgraph.engine import LangGraphEngine
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import CoreSettings, FileSettings, asyncpg_url

losses = st.lists(st.integers(1, 4), max_size=3)
"""After how many visits of nodes each run but the last one is lost."""


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(plan=["nested", "loop", "ask_both", "nested"], losses=[1, 1])
@given(plan=plans, losses=losses)
def test_a_run_that_was_lost_again_and_again_ends_with_the_files_of_one_that_was_not(
    database_url: str, tmp_path: Path, plan: list[str], losses: list[int]
) -> None:
    asyncio.run(_lose_and_finish(database_url, tmp_path, plan, losses))


async def _lose_and_finish(
    url: str, folder: Path, plan: Sequence[str], losses: Sequence[int]
) -> None:
    async with AsyncExitStack() as stack:
        database = open_database(asyncpg_url(url), pool_size=4, application_name="test")
        stack.push_async_callback(database.close)
        saver = await stack.enter_async_context(group_commit_saver(url))
        platform = _Platform(database, folder)
        stack.callback(platform.files.close)
        workspaces = ProcessWorkspaces(cast("Platform", platform), saver.files, None)
        stack.callback(workspaces.close)
        graphs: Any = VariedGraphs(build_plan(plan), saver)
        engine = LangGraphEngine(graphs, saver, Silent(), workspaces)
        thread = await begin_thread(database)
        for visits in losses:
            await _drive(engine, thread, visits)
            [thread] = await fork(database, thread, reason=ForkReason.TAKEOVER)
        await _finish(engine, database, thread)
        whole = await begin_thread(database)
        await _finish(engine, database, whole)
        assert await _contents(database, thread) == await _contents(database, whole)


async def _contents(database: Database, thread: UUID) -> dict[str, Blob | None]:
    """The newest files of a thread, of which there are some."""
    manifest = await files_of(database, thread)
    assert manifest
    return {path: memento.blob for path, memento in manifest.items()}


async def _finish(engine: LangGraphEngine, database: Database, thread: UUID) -> None:
    """Go on, and answer what is asked, until the graph ends."""
    while (outcome := await _drive(engine, thread, None)) and outcome.checkpoint_id:
        if outcome.status is RunStatus.COMPLETED:
            return
        assert outcome.status is RunStatus.PAUSED
        async with database.engine.begin() as connection:
            answers = answers_to(outcome)
            await answer_interrupts(connection, thread, outcome.checkpoint_id, answers, {})
    raise AssertionError("nobody has cut this run off")


@dataclass
class _Platform:
    """What workspaces need of one."""

    database: Database
    folder: Path
    settings: CoreSettings = field(init=False)
    files: ProcessFiles = field(init=False)

    def __post_init__(self) -> None:
        self.settings = new_settings(files=FileSettings(folder=self.folder))
        self.files = ProcessFiles(self.settings.files, self.database)


async def _drive(engine: LangGraphEngine, thread: UUID, visits: int | None) -> RunOutcome | None:
    """Drive a run until it ends, or is lost after so many visits."""
    run = claimed_run(thread, limits=FAR, input=dict(INPUT), resumes=True)
    loop = asyncio.get_running_loop()
    left = [None] * visits if visits else None

    def write(line: str) -> None:
        active = ACTIVE_RUN.get()
        assert active is not None
        assert active.workspace is not None
        Path(active.workspace.path(), _name(line)).write_text(line)
        if left is not None:
            left.pop()
            if not left:
                loop.call_soon_threadsafe(driving.cancel)

    token = ON_NODE.set(write)
    driving = asyncio.create_task(engine.drive(run, RunSignals()))
    ON_NODE.reset(token)
    with suppress(asyncio.CancelledError):
        return await driving
    return None


def _name(line: str) -> str:
    return sha256(line.encode()).hexdigest()
