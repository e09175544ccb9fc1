"""Other ways to go on: branches of executions, and edits of their states."""

from uuid import UUID

import pytest
from arranging import history, select
from controlling import Stations, output_of
from living_runner import living_runner

from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.execution import Breakpoints, ExecutionStatus
from wtb_async.settings import Settings


async def paused_before_c(stations: Stations) -> UUID:
    execution_id = await stations.start(breakpoints=Breakpoints(before=("c",)))
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    return execution_id


@pytest.mark.usefixtures("stations_runner")
async def test_a_branch_goes_on_from_a_checkpoint_and_leaves_its_parent_alone(
    stations: Stations,
) -> None:
    parent_id = await stations.start()
    parent = await stations.when(parent_id, ExecutionStatus.COMPLETED)
    checkpoint_id = await stations.checkpoint_before(parent_id, "c")
    branch_id = await stations.branch(parent_id, checkpoint_id, state={"seen": ["edited"]})
    branch = await stations.when(branch_id, ExecutionStatus.COMPLETED)
    assert output_of(branch)["seen"] == ["a", "b", "edited", "c", "d"]
    assert branch.parent_execution_id == parent_id
    assert await stations.get(parent_id) == parent
    assert [type_ for _, type_ in await history(stations.platform.database, branch_id)] == [
        "ExecutionBranched",
        "ExecutionStarted",
        "ExecutionCompleted",
    ]
    assert len(set(stations.keys())) == 6, "a branch's steps have keys of their own"


@pytest.mark.usefixtures("stations_runner")
async def test_a_branch_of_an_open_question_can_be_answered_otherwise(stations: Stations) -> None:
    parent_id = await stations.start(b="ask")
    parent = await stations.when(parent_id, ExecutionStatus.PAUSED)
    assert parent.checkpoint_id is not None
    branch_id = await stations.branch(parent_id, parent.checkpoint_id)
    await stations.when(branch_id, ExecutionStatus.PAUSED)
    await stations.resume(branch_id, answers="no")
    await stations.resume(parent_id, answers="yes")
    ends = [await stations.when(each, ExecutionStatus.COMPLETED) for each in (parent_id, branch_id)]
    assert [output_of(end)["seen"][1] for end in ends] == ["b:yes", "b:no"]


@pytest.mark.usefixtures("stations_runner")
async def test_a_branch_that_does_not_start_waits_where_it_begins(stations: Stations) -> None:
    parent_id = await paused_before_c(stations)
    checkpoint_id = await stations.checkpoint_before(parent_id, "c")
    plain = await stations.branch(parent_id, checkpoint_id, starts=False)
    edited = await stations.branch(parent_id, checkpoint_id, starts=False, state={"note": "new"})
    waiting = await stations.get(plain)
    assert (waiting.status, waiting.next_nodes) == (ExecutionStatus.PAUSED, ["c"])
    with_note = await stations.when(edited, ExecutionStatus.PAUSED)
    assert with_note.next_nodes == ["c"]
    for branch_id, note in ((plain, None), (edited, "new")):
        await stations.resume(branch_id)
        done = await stations.when(branch_id, ExecutionStatus.COMPLETED)
        assert output_of(done)["seen"] == ["a", "b", "c", "d"]
        assert output_of(done).get("note") == note


@pytest.mark.usefixtures("stations_runner")
async def test_a_branch_must_fit_its_workflow(stations: Stations) -> None:
    parent_id = await paused_before_c(stations)
    checkpoint_id = await stations.checkpoint_before(parent_id, "c")
    with pytest.raises(InvalidInput, match="no variant 'strange'"):
        await stations.branch(parent_id, checkpoint_id, variants={"c": "strange"})
    with pytest.raises(InvalidInput, match="no root checkpoint"):
        await stations.branch(parent_id, str(parent_id))
    found = await select(stations.platform.database, "SELECT id FROM wtb_executions")
    assert [row["id"] for row in found] == [parent_id]


@pytest.mark.usefixtures("stations_runner")
async def test_an_edit_goes_through_the_reducers_and_leaves_the_execution_paused(
    stations: Stations,
) -> None:
    execution_id = await paused_before_c(stations)
    before = await stations.get(execution_id)
    await stations.edit(execution_id, {"seen": ["edited"], "note": "new"})
    after = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert after.version == before.version + 3
    assert after.next_nodes == ["c"]
    assert after.checkpoint_id != before.checkpoint_id
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b", "edited", "c", "d"]
    assert output_of(done)["note"] == "new"


@pytest.mark.usefixtures("stations_runner")
async def test_an_edit_can_stand_for_a_node(stations: Stations) -> None:
    execution_id = await paused_before_c(stations)
    await stations.resume(execution_id, state={"seen": ["in place of c"]}, as_node="c")
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b", "in place of c", "d"]
    assert stations.visits() == ["a", "b", "d"]


async def test_an_edit_is_applied_once_however_often_the_runner_dies(
    settings: Settings, stations: Stations
) -> None:
    async with living_runner(settings) as runner:
        execution_id = await stations.start(breakpoints=Breakpoints(before=("c",)), c="hold")
        await stations.when(execution_id, ExecutionStatus.PAUSED)
        await stations.resume(execution_id, state={"seen": ["edited"]})
        for times in (1, 2):
            await stations.until_visited("c", times=times)
            await runner.die()
            runner.live()
        stations.release("c")
        done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
        assert output_of(done)["seen"] == ["a", "b", "edited", "c", "d"]
        assert done.attempt == 3


@pytest.mark.usefixtures("stations_runner")
async def test_an_edit_that_a_reducer_refuses_leaves_the_execution_paused_with_the_error(
    stations: Stations,
) -> None:
    execution_id = await paused_before_c(stations)
    before = await stations.get(execution_id)
    await stations.edit(execution_id, {"seen": 3})
    refused = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert refused.error is not None
    assert refused.error["type"] == "TypeError"
    assert (refused.checkpoint_id, refused.next_nodes) == (before.checkpoint_id, ["c"])
    await stations.resume(execution_id)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("stations_runner")
async def test_an_edit_must_name_keys_and_nodes_of_the_graph(stations: Stations) -> None:
    execution_id = await paused_before_c(stations)
    edited = await stations.get(execution_id)
    with pytest.raises(InvalidInput, match="no such node"):
        await stations.edit(execution_id, {"seen": ["x"]}, as_node="nowhere")
    with pytest.raises(InvalidInput, match="as_node"):
        await stations.resume(execution_id, as_node="c")
    assert await stations.get(execution_id) == edited


@pytest.mark.usefixtures("stations_runner")
async def test_a_step_whose_state_was_edited_has_another_key(stations: Stations) -> None:
    execution_id = await stations.start(b="ask")
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.edit(execution_id, {"note": "edited"})
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.resume(execution_id)
    await stations.until_visited("b", times=2)
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    keys = stations.keys()
    assert len({key for node, key in keys if node == "b"}) == 2


@pytest.mark.usefixtures("stations_runner")
async def test_only_a_paused_execution_can_be_edited(stations: Stations) -> None:
    execution_id = await stations.start()
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    with pytest.raises(InvalidTransition):
        await stations.edit(execution_id, {"note": "late"})
