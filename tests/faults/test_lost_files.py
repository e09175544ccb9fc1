"""Runners that are killed while they keep or restore files: state and files stay a pair."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.embedded.record import StackRecord
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.models import Execution

DEADLINE_SECONDS = 90.0
LOOK_SECONDS = 0.0005
COUNT = 1200
"""So many pages that keeping and restoring them take a while."""


class Machine:
    """The files and runners of the stack's machine."""

    def __init__(self, stack: StackRecord) -> None:
        self._url = stack.addresses.database_url
        self._files = Path(stack.addresses.logs).parent / "files"

    def blobs(self) -> int:
        """How many contents are stored."""
        return sum(1 for _ in self._files.glob("objects/*/*"))

    def unfinished_workspaces(self) -> set[Path]:
        """Directories that are being filled."""
        return set(self._files.glob("workspaces/*/fresh"))

    async def commits_of(self, execution_id: UUID) -> int:
        """How many commits checkpoints of an execution's present thread lead to."""
        query = """
            SELECT count(DISTINCT commit_id) FROM wtb_checkpoint_files
            JOIN wtb_executions USING (thread_id) WHERE wtb_executions.id = %s
        """
        [[count]] = await self._rows(query, execution_id)
        return int(count)

    async def runners(self) -> list[int]:
        """The processes of those that live."""
        rows = await self._rows("SELECT pid FROM wtb_runners WHERE status = 'alive'")
        return [pid for (pid,) in rows]

    async def kill_runners_when(self, is_time: Callable[[], bool]) -> None:
        """kill -9 of all runners at that moment, which may be short."""
        await asyncio.to_thread(_kill_when, is_time, await self.runners())

    async def _rows(self, query: str, *parameters: object) -> list[tuple[int, ...]]:
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            return await (await connection.execute(query, parameters)).fetchall()


def _kill_when(is_time: Callable[[], bool], pids: Sequence[int]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_time():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(LOOK_SECONDS)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def machine(stack: StackRecord) -> Machine:
    return Machine(stack)


def written(tail: str) -> dict[str, str]:
    """The hash of every page that ends like this."""
    texts = {f"{number}.txt": f"page {number}\n{tail}" for number in range(COUNT)}
    return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}


async def hashes(client: WTBClient, execution_id: UUID) -> dict[str, str | None]:
    return {file.path: file.sha256 async for file in client.files.list(execution_id)}


async def ended(client: WTBClient, execution_id: UUID) -> Execution:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await client.executions.wait_for(execution_id)


async def check_integrity(client: WTBClient) -> None:
    begun = await client.integrity.check(deep=True)
    async with asyncio.timeout(DEADLINE_SECONDS):
        report = await client.integrity.wait_for(begun.id)
    assert report.is_sound
    assert [(each.check, each.findings) for each in report.results if each.found] == []


async def test_a_runner_that_is_killed_while_it_keeps_files_leaves_none_of_them(
    client: WTBClient, machine: Machine
) -> None:
    before = machine.blobs()
    made = await client.executions.create("pages", {"count": COUNT})
    await machine.kill_runners_when(lambda: machine.blobs() > before + COUNT // 10)
    assert await machine.commits_of(made.id) == 0, "the kill came too late"

    done = await ended(client, made.id)
    assert (done.status, done.attempt) == (ExecutionStatus.COMPLETED, 2)
    assert await hashes(client, made.id) == written("revised\n")
    await check_integrity(client)


async def test_a_runner_that_is_killed_while_it_restores_files_leaves_what_can_be_restored(
    client: WTBClient, machine: Machine
) -> None:
    made = await client.executions.create("pages", {"count": COUNT})
    await ended(client, made.id)
    await client.executions.roll_back(made.id, before_node="revise")
    assert await hashes(client, made.id) == written("")

    left = machine.unfinished_workspaces()
    watching = machine.kill_runners_when(lambda: bool(machine.unfinished_workspaces() - left))
    killer = asyncio.create_task(watching)
    await asyncio.sleep(0.1)
    await client.executions.resume(made.id)
    await killer
    assert machine.unfinished_workspaces() - left, "the kill came too late"

    done = await ended(client, made.id)
    assert (done.status, done.attempt) == (ExecutionStatus.COMPLETED, 2)
    assert await hashes(client, made.id) == written("revised\n")
    await check_integrity(client)
