"""Files of workspaces go where the state goes: back, aside, and on to another runner."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from arranging import eventually
from controlling import Stations, output_of
from files_of_threads import count, files_at, files_of
from living_runner import LivingRunner, living_runner

from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.workspaces.lock import DirectoryLock, WorkspaceInUse
from wtb_async.settings import Settings

pytestmark = pytest.mark.usefixtures("stations_runner")

ALL: dict[str, Any] = {"a": "write", "b": "write", "c": "write", "d": "write"}
SEEN = ["a found", "b found a.txt log", "c found a.txt b.txt log", "d found a.txt b.txt c.txt log"]


async def completed(stations: Stations, **tasks: Any) -> UUID:  # noqa: ANN401
    execution_id = await stations.start(**tasks)
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    return execution_id


async def paths_of(stations: Stations, execution_id: UUID) -> list[str]:
    """What the execution's newest files are."""
    execution = await stations.get(execution_id)
    found = await files_of(stations.platform.database, execution.thread_id)
    return sorted(found or ())


async def seen_by(stations: Stations, execution_id: UUID) -> list[str]:
    execution = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    seen: list[str] = output_of(execution)["seen"]
    return seen


async def test_every_checkpoint_has_the_files_of_its_moment(stations: Stations) -> None:
    execution_id = await completed(stations, **ALL)
    thread = (await stations.get(execution_id)).thread_id
    timeline = (await stations.history.of_lineage(thread, limit=10)).items
    database = stations.platform.database
    found = [await files_at(database, thread, each.checkpoint_id) for each in timeline]
    assert [sorted(each or ()) for each in found] == [
        ["a.txt", "b.txt", "c.txt", "d.txt", "log"],
        ["a.txt", "b.txt", "c.txt", "log"],
        ["a.txt", "b.txt", "log"],
        ["a.txt", "log"],
        [],
        [],
    ]
    commits = [each.file_commit_id for each in timeline]
    assert commits[4:] == [None, None]
    assert len(set(commits)) == 5


async def test_a_run_whose_nodes_ask_for_no_workspace_leaves_nothing(
    stations: Stations, settings: Settings
) -> None:
    await completed(stations)
    for table in ("wtb_file_commits", "wtb_checkpoint_files", "wtb_workspaces"):
        assert await count(stations.platform.database, table) == 0
    assert not settings.files.folder.exists()


async def test_a_node_that_changes_nothing_writes_no_commit(stations: Stations) -> None:
    await completed(stations, a="write")
    assert await count(stations.platform.database, "wtb_file_commits") == 1
    # The task's, and that of the checkpoint after it.
    assert await count(stations.platform.database, "wtb_checkpoint_files") == 2


async def test_the_directory_goes_when_the_execution_ends(
    stations: Stations, settings: Settings
) -> None:
    await completed(stations, a="write")
    assert list(settings.files.folder.glob("workspaces/*")) == []


async def test_a_rollback_takes_the_files_back_with_the_state(stations: Stations) -> None:
    execution_id = await completed(stations, **ALL)
    await stations.roll_back(execution_id, before_node="c")
    assert await paths_of(stations, execution_id) == ["a.txt", "b.txt", "log"]
    await stations.resume(execution_id)
    assert await seen_by(stations, execution_id) == SEEN


async def test_a_rollback_can_leave_the_files_as_they_are(stations: Stations) -> None:
    execution_id = await completed(stations, **ALL)
    await stations.roll_back(execution_id, before_node="c", restores_files=False)
    everything = ["a.txt", "b.txt", "c.txt", "d.txt", "log"]
    assert await paths_of(stations, execution_id) == everything
    await stations.resume(execution_id)
    seen = await seen_by(stations, execution_id)
    assert seen[2:] == [f"{name} found {' '.join(everything)}" for name in "cd"]


async def test_files_stay_away_when_a_rollback_to_later_leaves_them_as_they_are(
    stations: Stations,
) -> None:
    execution_id = await completed(stations, **ALL)
    end = (await stations.get(execution_id)).checkpoint_id
    assert end is not None
    await stations.roll_back(execution_id, before_node="a")
    await stations.roll_back(execution_id, checkpoint_id=UUID(end), restores_files=False)
    assert await paths_of(stations, execution_id) == []


async def test_a_branch_has_files_of_its_own(stations: Stations) -> None:
    execution_id = await completed(stations, **ALL)
    checkpoint_id = await stations.checkpoint_before(execution_id, "c")
    branched = await stations.branch(execution_id, checkpoint_id, variants={"c": "loud"})
    seen = await seen_by(stations, branched)
    assert seen[2:] == ["C!", "d found a.txt b.txt log"]
    assert await paths_of(stations, branched) == ["a.txt", "b.txt", "d.txt", "log"]
    assert len(await paths_of(stations, execution_id)) == 5


async def test_what_a_paused_execution_had_is_there_when_it_goes_on(stations: Stations) -> None:
    execution_id = await stations.start(**ALL | {"b": "write ask"})
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    # The node that asks begins anew when it is answered, with what it wrote before.
    assert await paths_of(stations, execution_id) == ["a.txt", "b.txt", "log"]
    await stations.resume(execution_id, answers="yes")
    seen = await seen_by(stations, execution_id)
    assert seen[1] == "b:yes found a.txt b.txt log"


async def test_an_edit_of_the_state_leaves_the_files(stations: Stations) -> None:
    execution_id = await stations.start(**ALL | {"b": "write ask"})
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.resume(execution_id, state={"seen": ["edited"]}, as_node="b")
    seen = await seen_by(stations, execution_id)
    later = ["c found a.txt b.txt log", "d found a.txt b.txt c.txt log"]
    assert seen == ["a found", "edited", *later]


async def test_another_runner_goes_on_with_the_files_of_what_had_finished(
    stations: Stations, stations_runner: LivingRunner, settings: Settings
) -> None:
    execution_id = await stations.start(**ALL | {"c": "write hold"})
    await stations.until_visited("c")
    await stations_runner.die()
    assert await reap_lost_runners(stations.platform.database.unit_of_work, lease_seconds=0) == 1
    stations.release("c")
    async with living_runner(settings, "runner-2"):
        assert await seen_by(stations, execution_id) == SEEN


async def test_executions_that_part_have_the_files_of_what_they_shared(
    stations: Stations, settings: Settings
) -> None:
    ids = await stations.start_group("loud", "soft", **ALL)
    for execution_id in ids:
        assert (await seen_by(stations, execution_id))[3] == "d found a.txt b.txt log"
        assert await paths_of(stations, execution_id) == ["a.txt", "b.txt", "d.txt", "log"]
    assert list(settings.files.folder.glob("workspaces/*")) == []


async def test_one_that_leaves_its_group_takes_the_files_along(stations: Stations) -> None:
    tasks: dict[str, Any] = ALL | {"b": "write hold"}
    paused, other = await stations.start_group("loud", "soft", **tasks)
    await stations.until_visited("b")
    await stations.pause(paused)
    await stations.when(paused, ExecutionStatus.PAUSED)
    assert await paths_of(stations, paused) == ["a.txt", "log"]
    stations.release("b")
    assert (await seen_by(stations, other))[3] == "d found a.txt b.txt log"
    await stations.resume(paused)
    assert await seen_by(stations, paused) == [*SEEN[:2], "C!", "d found a.txt b.txt log"]


async def test_a_stopped_execution_can_be_taken_back_with_its_files(
    stations: Stations, settings: Settings
) -> None:
    execution_id = await stations.start(**ALL | {"b": "write hold"})
    await stations.until_visited("b")
    await stations.stop(execution_id)
    await stations.when(execution_id, ExecutionStatus.CANCELLED)
    for folder in settings.files.folder.glob("workspaces/*"):
        await eventually(partial(unlocked, folder))
    assert await paths_of(stations, execution_id) == ["a.txt", "log"]
    stations.release("b")
    await stations.roll_back(execution_id, before_node="b")
    await stations.resume(execution_id)
    assert await seen_by(stations, execution_id) == SEEN


async def unlocked(folder: Path) -> bool:
    try:
        DirectoryLock.take(folder).release()
    except WorkspaceInUse:
        return False
    return True
