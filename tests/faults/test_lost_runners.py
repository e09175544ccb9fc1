"""Runners that are killed or frozen in mid-graph: others finish their work, once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import psutil
import psycopg
import pytest
from arranging import eventually
from psycopg.rows import namedtuple_row
from tally_file import Tally

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.embedded.record import StackRecord
from wtb_async.sdk.client import WTBClient

DEADLINE_SECONDS = 60.0


class RunnerLife(NamedTuple):
    """One process under one name."""

    id: UUID
    name: str
    pid: int


OF_EXECUTION = """
SELECT runner.id, runner.name, runner.pid FROM wtb_executions AS execution
JOIN wtb_runs AS run ON run.id = execution.run_id
JOIN wtb_runners AS runner ON runner.id = run.runner_id
WHERE execution.id = %(id)s
"""
ALIVE = "SELECT id, name, pid FROM wtb_runners WHERE status = 'alive'"
NEXT_LIFE = """
SELECT id, name, pid FROM wtb_runners
WHERE name = %(name)s AND id <> %(id)s AND status = 'alive' AND started_at > (
    SELECT started_at FROM wtb_runners WHERE id = %(id)s
)
"""


@pytest.fixture
def tally(tmp_path: Path) -> Tally:
    return Tally(tmp_path)


async def find(stack: StackRecord, query: str, parameters: dict[str, object]) -> list[RunnerLife]:
    url = stack.addresses.database_url
    async with await psycopg.AsyncConnection.connect(url, row_factory=namedtuple_row) as connection:
        rows = await (await connection.execute(query, parameters)).fetchall()
    return [RunnerLife(*row) for row in rows]


async def runner_of(stack: StackRecord, execution_id: UUID) -> RunnerLife:
    [life] = await find(stack, OF_EXECUTION, {"id": execution_id})
    return life


async def is_over(stack: StackRecord, life: RunnerLife) -> None:
    """Wait until this life has ended: its process is gone, or has begun another one.

    Whoever only stood in for others is not started again.
    """

    async def ended() -> bool:
        gone = not psutil.pid_exists(life.pid)
        return gone or bool(await find(stack, NEXT_LIFE, life._asdict()))

    await eventually(ended, patience=DEADLINE_SECONDS)


@contextmanager
def frozen(runner: RunnerLife) -> Iterator[None]:
    os.kill(runner.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(runner.pid, signal.SIGCONT)


async def shown(client: WTBClient, execution_id: UUID) -> list[object]:
    """All that a reader sees of an execution."""
    return [
        await client.executions.get(execution_id),
        [node async for node in client.executions.nodes(execution_id)],
        [checkpoint async for checkpoint in client.executions.checkpoints(execution_id)],
        [event async for event in client.executions.events(execution_id)],
    ]


async def test_after_kill_9_of_a_runner_no_finished_node_runs_again(
    client: WTBClient, stack: StackRecord, tally: Tally
) -> None:
    names = [f"run-{number}" for number in range(6)]
    made = [await client.executions.create("tally", {**tally.input_for(name)}) for name in names]
    await tally.reached(*(f"{name} second" for name in names))

    os.kill((await runner_of(stack, made[0].id)).pid, signal.SIGKILL)
    tally.open_gate()

    async with asyncio.timeout(DEADLINE_SECONDS):
        done = [await client.executions.wait_for(each.id) for each in made]
    assert done[0].attempt == 2
    for name, execution in zip(names, done, strict=True):
        assert execution.status is ExecutionStatus.COMPLETED
        visits = tally.lines(name)
        assert visits == ["first", *["second"] * execution.attempt, "end"]
        nodes = [node async for node in client.executions.nodes(execution.id)]
        assert [(node.node, node.status) for node in nodes] == [
            ("first", "completed"),
            ("second", "completed"),
        ]


async def test_a_frozen_runner_that_wakes_up_after_its_lease_changes_nothing(
    client: WTBClient, stack: StackRecord, tally: Tally
) -> None:
    made = await client.executions.create("tally", {**tally.input_for("x")})
    await tally.reached("x second")
    owner = await runner_of(stack, made.id)

    with frozen(owner):
        tally.open_gate()
        async with asyncio.timeout(DEADLINE_SECONDS):
            done = await client.executions.wait_for(made.id)
        assert (await runner_of(stack, made.id)).name != owner.name
        before = await shown(client, made.id)
    await is_over(stack, owner)

    assert (done.status, done.attempt) == (ExecutionStatus.COMPLETED, 2)
    assert done.output == {**tally.input_for("x"), "done": ["first", "second"]}
    assert await shown(client, made.id) == before


async def test_when_every_runner_is_frozen_others_are_started_in_their_place(
    client: WTBClient, stack: StackRecord, tally: Tally
) -> None:
    made = await client.executions.create("tally", {**tally.input_for("x")})
    await tally.reached("x second")
    runners = await find(stack, ALIVE, {})

    with ExitStack() as freezer:
        for runner in runners:
            freezer.enter_context(frozen(runner))
        tally.open_gate()
        async with asyncio.timeout(DEADLINE_SECONDS):
            done = await client.executions.wait_for(made.id)
        owner = await runner_of(stack, made.id)
    assert owner.name not in {runner.name for runner in runners}
    assert (done.status, done.attempt) == (ExecutionStatus.COMPLETED, 2)
    assert tally.lines("x").count("first") == 1
    # Those that only stood in for others need not come back.
    await is_over(stack, min(runners, key=lambda runner: runner.name))
