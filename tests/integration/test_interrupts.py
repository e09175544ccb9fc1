"""Questions that nodes ask, and the answers that they get."""

import pytest
from arranging import select
from controlling import Stations, output_of
from living_runner import living_runner

from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.execution import ExecutionStatus, PauseReason
from wtb_async.settings import Settings


@pytest.mark.usefixtures("stations_runner")
async def test_a_question_is_listed_and_its_answer_reaches_the_node(stations: Stations) -> None:
    execution_id = await stations.start(b="ask")
    paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert paused.pause_reason is PauseReason.INTERRUPT
    [asked] = paused.interrupts
    assert (asked["kind"], asked["node"], asked["value"]) == ("interrupt", "b", "what at b?")
    await stations.resume(execution_id, answers={asked["id"]: {"an": "answer"}})
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b:{'an': 'answer'}", "c", "d"]
    assert done.interrupts == []


@pytest.mark.parametrize("answer", ["yes", 0, False, {"approved": True}, ["a", "b"]])
@pytest.mark.usefixtures("stations_runner")
async def test_a_bare_answer_will_do_for_a_single_question(
    stations: Stations, answer: object
) -> None:
    execution_id = await stations.start(b="ask")
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.resume(execution_id, answers=answer)  # type: ignore[arg-type]
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", f"b:{answer}", "c", "d"]


@pytest.mark.usefixtures("stations_runner")
async def test_a_node_may_ask_again(stations: Stations) -> None:
    execution_id = await stations.start(b="ask twice")
    first = await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.resume(execution_id, answers="one")
    await stations.until_visited("b", times=2)
    second = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert [item["value"] for item in second.interrupts] == ["second?"]
    with pytest.raises(InvalidTransition, match="is open"):
        await stations.resume(execution_id, answers={first.interrupts[0]["id"]: "again"})
    await stations.resume(execution_id, answers="two")
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"] == ["a", "b:one:two", "c", "d"]


async def test_an_answer_is_given_once_however_often_the_runner_dies(
    settings: Settings, stations: Stations
) -> None:
    async with living_runner(settings) as runner:
        execution_id = await stations.start(b="ask twice", c="hold")
        await stations.when(execution_id, ExecutionStatus.PAUSED)
        await runner.die()
        await stations.resume(execution_id, answers="one")
        for _ in range(2):
            runner.live()
            await stations.until_visited("b", times=2)
            await runner.die()
        runner.live()
        paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
        assert [item["value"] for item in paused.interrupts] == ["second?"]
        await stations.resume(execution_id, answers="two")
        stations.release("c")
        done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
        assert output_of(done)["seen"] == ["a", "b:one:two", "c", "d"]


@pytest.mark.usefixtures("stations_runner")
async def test_one_question_takes_one_answer(stations: Stations) -> None:
    execution_id = await stations.start(b="ask", c="hold")
    paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
    answer = {paused.interrupts[0]["id"]: "first"}
    await stations.resume(execution_id, answers=answer)
    with pytest.raises(InvalidTransition):
        await stations.resume(execution_id, answers={paused.interrupts[0]["id"]: "second"})
    stations.release("c")
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"][1] == "b:first"


@pytest.mark.usefixtures("stations_runner")
async def test_an_answer_must_fit_the_schema_of_its_question(stations: Stations) -> None:
    execution_id = await stations.start(b="ask number")
    paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
    assert paused.interrupts[0]["response_schema"] == {"type": "integer"}
    with pytest.raises(InvalidInput, match="integer"):
        await stations.resume(execution_id, answers="many")
    assert await stations.get(execution_id) == paused
    await stations.resume(execution_id, answers=3)
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["seen"][1] == "b:3"


@pytest.mark.usefixtures("stations_runner")
async def test_going_on_without_an_answer_is_refused(stations: Stations) -> None:
    execution_id = await stations.start(b="ask")
    paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
    with pytest.raises(InvalidInput, match="waits for an answer"):
        await stations.resume(execution_id)
    commands = await select(
        stations.platform.database,
        "SELECT kind FROM wtb_commands WHERE target_id = :id",
        id=execution_id,
    )
    assert commands == []
    assert await stations.get(execution_id) == paused


@pytest.mark.usefixtures("stations_runner")
async def test_values_can_come_with_the_answer(stations: Stations) -> None:
    execution_id = await stations.start(b="ask")
    await stations.when(execution_id, ExecutionStatus.PAUSED)
    await stations.resume(execution_id, answers="yes", state={"note": "edited", "seen": ["x"]})
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert output_of(done)["note"] == "edited"
    assert output_of(done)["seen"] == ["a", "x", "b:yes", "c", "d"]
