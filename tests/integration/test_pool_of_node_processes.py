"""The processes of a runner's nodes: started when needed, ended when not."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from arranging import eventually
from moved_rooms import PROJECT, gone, pid_left, rooms

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.node_process.address import NodeAddress
from wtb_async.infrastructure.node_process.messages import Messages, Terms
from wtb_async.infrastructure.node_process.pool import NodeProcesses

LEFT = NodeAddress(project=str(PROJECT), graph="./rooms.py:build", node="left")
PLAIN = Messages(Terms())


async def test_calls_wait_for_room_and_no_process_is_left_over(tmp_path: Path) -> None:
    async with rooms(tmp_path, most=1) as room:
        results: list[Any] = await asyncio.gather(*(room.do("look") for _ in range(2)))
    for result in results:
        await gone(result["seen"][0].pid)


async def test_a_process_that_nobody_calls_is_ended(tmp_path: Path) -> None:
    async with rooms(tmp_path, idle_seconds=0.01) as room:
        result = await room.do("look")
        await gone(result["seen"][0].pid)


async def test_a_process_is_lent_again_to_who_lets_the_same_types_travel() -> None:
    other_types = Messages(Terms(frozenset({("pathlib", "PurePath")})))
    async with NodeProcesses(most=2, idle_seconds=60.0, start_seconds=60.0) as processes:
        async with processes.lend(LEFT, PLAIN) as first:
            pass
        async with processes.lend(LEFT, other_types) as other:
            pass
        async with processes.lend(LEFT, PLAIN) as again:
            pass
    assert other is not first
    assert again is first


async def test_a_node_that_does_not_load_there_says_why() -> None:
    missing = replace(LEFT, graph="./rooms.py:missing")
    async with NodeProcesses(most=1, idle_seconds=60.0, start_seconds=60.0) as processes:
        with pytest.raises(InvalidInput, match="defines no 'missing'"):
            async with processes.lend(missing, PLAIN):
                pytest.fail("it has loaded")


async def test_a_node_that_takes_too_long_to_load_is_given_up() -> None:
    async with NodeProcesses(most=1, idle_seconds=60.0, start_seconds=0.01) as processes:
        with pytest.raises(InvalidInput, match=r"'left' in a process took longer than 0\.01 s"):
            async with processes.lend(LEFT, PLAIN):
                pytest.fail("it has loaded")


async def test_a_node_that_is_cancelled_ends_with_all_that_it_started(tmp_path: Path) -> None:
    async with rooms(tmp_path) as room:
        run = asyncio.create_task(room.do("hang"))
        pids = [await pid_left(tmp_path, "node"), await pid_left(tmp_path, "sleeper")]
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        for pid in pids:
            await gone(pid)
        assert (await room.do("look"))["seen"][0].pid not in pids


async def test_whoever_is_cancelled_while_a_process_begins_leaves_none_behind(
    tmp_path: Path,
) -> None:
    before = set(psutil.Process().children())
    async with rooms(tmp_path) as room:
        run = asyncio.create_task(room.do("look"))

        async def begun() -> bool:
            return bool(set(psutil.Process().children()) - before)

        await eventually(begun, pause=0.0)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert set(psutil.Process().children()) <= before
