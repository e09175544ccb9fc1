"""What a user asks of an execution, on the real stack: from a pause to a branch and a stop."""

import asyncio
from pathlib import Path

from arranging import eventually

from wtb_async.domain.execution import ExecutionStatus, PauseReason
from wtb_async.domain.json import JsonValue
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.models import Execution

DEADLINE_SECONDS = 60.0


async def rested(client: WTBClient, answered: Execution) -> Execution:
    """How the execution rests after a command."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await client.executions.wait_for(answered.id, since=answered.version)


async def seen(client: WTBClient, execution: Execution) -> JsonValue:
    """What the state's newest checkpoint says of the nodes passed."""
    values = (await client.executions.state(execution.id)).values
    assert isinstance(values, dict)
    return values["seen"]


def visits(folder: Path) -> list[list[str]]:
    """Each visit: the node's name and its idempotency key."""
    file = folder / "visits"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


async def until_visited(folder: Path, node: str) -> None:
    async def visited() -> bool:
        return node in [name for name, _ in visits(folder)]

    await eventually(visited)


async def paused_after_b(client: WTBClient, folder: Path) -> Execution:
    """An execution that was paused while `b` was running; `d` will ask."""
    tasks = {"b": "hold", "d": "ask"}
    made = await client.executions.create(
        "stations", {"tasks": tasks, "folder": str(folder), "seen": []}
    )
    await until_visited(folder, "b")
    asked = await client.executions.pause(made.id, reason="to look at it")
    (folder / "release b").touch()
    return await rested(client, asked)


async def test_an_execution_is_paused_edited_resumed_and_answered(
    client: WTBClient, tmp_path: Path
) -> None:
    paused = await paused_after_b(client, tmp_path)
    assert (paused.status, paused.pause_reason) == (ExecutionStatus.PAUSED, PauseReason.COMMAND)
    assert paused.next_nodes == ("c",)
    assert await seen(client, paused) == ["a", "b"]

    edited = await rested(client, await client.executions.edit_state(paused.id, {"seen": ["x"]}))
    assert (edited.status, edited.next_nodes) == (ExecutionStatus.PAUSED, ("c",))
    assert await seen(client, edited) == ["a", "b", "x"]

    asking = await rested(client, await client.executions.resume(paused.id))
    assert asking.pause_reason is PauseReason.INTERRUPT
    [question] = asking.interrupts
    assert (question.node, question.value) == ("d", "what at d?")

    answers = {str(question.id): "yes"}
    done = await rested(client, await client.executions.resume(paused.id, answers=answers))
    assert done.status is ExecutionStatus.COMPLETED
    assert await seen(client, done) == ["a", "b", "x", "c", "d:yes"]
    keys = [key for node, key in visits(tmp_path) if node == "d"]
    assert len(keys) == 2
    assert len(set(keys)) == 1, "the step that asked goes on under the same key"


async def test_an_execution_goes_back_and_goes_on_in_two_ways(
    client: WTBClient, tmp_path: Path
) -> None:
    paused = await paused_after_b(client, tmp_path)
    await rested(client, await client.executions.resume(paused.id))
    back = await client.executions.roll_back(paused.id, before_node="c")
    assert (back.status, back.next_nodes) == (ExecutionStatus.PAUSED, ("c",))
    assert back.thread_id != paused.thread_id
    assert back.checkpoint_id is not None

    branch = await client.executions.branch(
        back.id, back.checkpoint_id, state={"seen": ["y"]}, variants={"c": "loud"}
    )
    asking = await rested(client, branch)
    assert (asking.parent_execution_id, asking.variants) == (back.id, {"c": "loud"})
    assert await seen(client, asking) == ["a", "b", "y", "C!"]
    stopped = await client.executions.stop(branch.id, reason="seen enough")
    assert (stopped.status, stopped.interrupts) == (ExecutionStatus.CANCELLED, ())

    await rested(client, await client.executions.resume(back.id))
    done = await rested(client, await client.executions.resume(back.id, answers="again"))
    assert await seen(client, done) == ["a", "b", "c", "d:again"]
    keys = [key for node, key in visits(tmp_path) if node == "c"]
    assert len(set(keys)) == 2, "a step that is taken again after a rollback is another step"


async def test_a_running_execution_is_stopped(client: WTBClient, tmp_path: Path) -> None:
    made = await client.executions.create(
        "stations", {"tasks": {"b": "hold"}, "folder": str(tmp_path), "seen": []}
    )
    await until_visited(tmp_path, "b")
    asked = await client.executions.stop(made.id)
    (tmp_path / "release b").touch()
    stopped = await rested(client, asked)
    assert stopped.status is ExecutionStatus.CANCELLED
    assert [node for node, _ in visits(tmp_path)] == ["a", "b"]
