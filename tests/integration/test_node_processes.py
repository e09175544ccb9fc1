"""Nodes in processes of their own: what they have to themselves, and what they can do."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from langgraph.types import Command
from moved_rooms import Rooms, gone, new_thread, pid_left, rooms

from wtb_async.infrastructure.node_process.errors import (
    NodeProcessDied,
    NotInNodeProcess,
    NotTransferable,
)

HANGING_RUNNER = """
import asyncio, pathlib, sys
from moved_rooms import rooms

async def main():
    async with rooms(pathlib.Path(sys.argv[1])) as room:
        await room.do("hang")

asyncio.run(main())
"""
SUPPORT = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.fixture(scope="module")
async def processes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rooms]:
    """Starting a process takes a second, so the tests share those that survive them."""
    async with rooms(tmp_path_factory.mktemp("rooms")) as opened:
        yield opened


@pytest.fixture
def room(processes: Rooms, tmp_path: Path) -> Rooms:
    return replace(processes, folder=tmp_path)


async def test_two_nodes_side_by_side_have_a_folder_and_an_environment_each(room: Rooms) -> None:
    environment, folder = dict(os.environ), Path.cwd()
    seen = (await room.do("meet"))["seen"]
    after = {each.node: each for each in (seen[1], seen[3])}
    assert after["left"].folder == str(room.folder / "left")
    assert after["right"].folder == str(room.folder / "right")
    assert {name: each.variable for name, each in after.items()} == {
        "left": "left",
        "right": "right",
    }
    assert len({os.getpid(), after["left"].pid, after["right"].pid}) == 3
    assert (dict(os.environ), Path.cwd()) == (environment, folder)


async def test_a_process_is_used_again_and_begins_where_the_first_call_began(room: Rooms) -> None:
    first = (await room.do("look"))["seen"][0]
    left = (await room.do("leave"))["seen"][1]
    again = (await room.do("look"))["seen"][0]
    assert left.variable == "left"
    assert again == first


class Workspace(os.PathLike[str]):
    """A folder that notes who wants it kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept = 0

    def __fspath__(self) -> str:
        return str(self.folder)

    def keep(self) -> None:
        self.kept += 1


async def test_a_node_begins_in_its_workspace_and_may_keep_it(room: Rooms, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    result = await room.go({"do": "look"}, new_thread(wtb_workspace=workspace))
    assert result["seen"][0].folder == str(tmp_path)
    assert workspace.kept == 0
    await room.go({"do": "keep"}, new_thread(wtb_workspace=workspace))
    assert workspace.kept == 1


async def test_a_variant_runs_in_a_process_too(tmp_path: Path) -> None:
    async with rooms(tmp_path, variants={"left": "loud"}) as room:
        [seen] = (await room.do("look"))["seen"]
    assert seen.node == "LEFT"
    assert seen.pid != os.getpid()


async def test_what_a_node_streams_arrives_in_order(room: Rooms) -> None:
    given = {"do": "tell", "folder": str(room.folder)}
    streamed = [
        part async for part in room.graph.astream(given, new_thread(), stream_mode="custom")
    ]
    assert streamed == [{"step": 0}, {"step": 1}, {"step": 2}]


async def test_a_node_asks_and_goes_on_with_each_answer(room: Rooms) -> None:
    config = new_thread()
    asked = await room.go({"do": "ask", "folder": str(room.folder)}, config)
    assert [each.value for each in asked["__interrupt__"]] == ["first?"]
    for answer in ("one", {"two": 2}):
        [question] = (await room.graph.aget_state(config)).interrupts
        result = await room.go(Command(resume={question.id: answer}), config)
    assert result["answers"] == ["one", {"two": 2}, None]


async def test_a_retry_policy_sees_the_error_s_own_class(room: Rooms) -> None:
    assert (await room.do("flaky"))["answers"] == [3, None]


async def test_an_error_keeps_its_name_message_attributes_and_traceback(room: Rooms) -> None:
    with pytest.raises(RuntimeError, match="left has 0 luck") as caught:
        await room.do("luck")
    assert type(caught.value).__name__ == "OutOfLuck"
    assert vars(caught.value)["luck"] == 0
    assert "in out_of_luck" in caught.value.__notes__[0]


async def test_large_values_travel(room: Rooms) -> None:
    data = os.urandom(8 << 20)
    assert (await room.do("large", data=data))["data"] == data * 2


async def test_a_value_over_the_limit_fails_its_node(tmp_path: Path) -> None:
    async with rooms(tmp_path, limit_bytes=1 << 20) as room:
        with pytest.raises(NotTransferable, match="longer than the limit of 1048576"):
            await room.do("large", data=bytes(2 << 20))
        with pytest.raises(NotTransferable, match="longer than the limit of 1048576") as caught:
            await room.do("large", data=bytes(768 << 10))
    assert "node's own process" in caught.value.__notes__[0]


async def test_what_no_checkpoint_could_hold_fails_its_node(room: Rooms) -> None:
    with pytest.raises(NotTransferable, match="not msgpack serializable: object"):
        await room.do("strange")


@pytest.mark.parametrize(("deed", "message"), [("store", "has no store"), ("task", "@task")])
async def test_what_only_the_runner_has_is_out_of_reach(
    room: Rooms, deed: str, message: str
) -> None:
    with pytest.raises(NotInNodeProcess, match=message):
        await room.do(deed)


async def test_a_node_sends_work_to_another(room: Rooms) -> None:
    assert (await room.do("send"))["answers"] == ["sent", None, None]


@pytest.mark.parametrize(
    ("deed", "message", "code"),
    [("die", "ended by SIGKILL.*\nthe last words\n", -9), ("end", "exited with code 7\n", 7)],
)
async def test_a_process_that_dies_fails_its_node(
    room: Rooms, deed: str, message: str, code: int
) -> None:
    with pytest.raises(NodeProcessDied, match=message) as caught:
        await room.do(deed)
    assert caught.value.exit_code == code


async def test_all_that_a_node_has_started_ends_with_its_killed_runner(
    tmp_path: Path,
) -> None:
    runner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HANGING_RUNNER, str(tmp_path), env=os.environ | SUPPORT
    )
    pids = [await pid_left(tmp_path, "node"), await pid_left(tmp_path, "sleeper")]
    runner.kill()
    await runner.wait()
    for pid in pids:
        await gone(pid)
