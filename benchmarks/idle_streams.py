"""Idle readers of event streams on one API process: what they cost, and how soon one is woken.

Half of the readers hold an SSE stream, half a WebSocket, each of an execution of its own that
nobody runs. Then executions are stopped one by one; the time is taken from the announcement, which
a relay would make, until the reader has the event.

    python benchmarks/idle_streams.py [--readers 1000] [--idle 40] [--wakes 200]
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import psutil
from figures import MILLISECONDS, percentile
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from wtb_async.bootstrap.database import prepare_database
from wtb_async.infrastructure.embedded import embedded_services
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.redis.client import open_redis
from wtb_async.infrastructure.redis.nudges import RelaySignals
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.errors import ServerUnreachable

KEY = "key-of-the-benchmark"
PROJECT = Path(__file__).parent / "four_nodes" / "langgraph.json"
OPEN_AT_ONCE = 50
STOPPED = b"ExecutionCancelled"


@dataclass
class Reader:
    """Somebody who waits for the end of one execution."""

    execution_id: UUID
    over_websocket: bool
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    heard_at: asyncio.Future[float] = field(default_factory=asyncio.Future)

    async def read(self, url: str) -> None:
        """Read until the end."""
        async with aclosing(self._websocket(url) if self.over_websocket else self._sse(url)) as got:
            async for text in got:
                if STOPPED in text:
                    self.heard_at.set_result(time.perf_counter())
                    return
                if b"ExecutionCreated" in text:
                    self.is_open.set()

    async def _sse(self, url: str) -> AsyncGenerator[bytes]:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=4096)
        path = f"/api/v1/executions/{self.execution_id}/events"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: wtb\r\nX-API-Key: {KEY}\r\n\r\n".encode())
        try:
            async for line in reader:
                yield line
        finally:
            writer.close()

    async def _websocket(self, url: str) -> AsyncGenerator[bytes]:
        target = f"{url.replace('http', 'ws', 1)}/api/v1/ws"
        # Compression would cost this process more than the server.
        async with connect(
            target, additional_headers={"X-API-Key": KEY}, compression=None
        ) as connection:
            wanted = {"subscribe": {"execution_id": self.execution_id}}
            await connection.send(orjson.dumps(wanted).decode())
            async for message in connection:
                yield message.encode() if isinstance(message, str) else message


@dataclass(frozen=True)
class Use:
    """What the API process has used up to now."""

    memory_bytes: int
    cpu_seconds: float

    @classmethod
    def of(cls, process: psutil.Process) -> "Use":
        """Look at a process; memory is what it shares with no other."""
        times = process.cpu_times()
        return cls(process.memory_full_info().uss, times.user + times.system)


@asynccontextmanager
async def served(database_url: str, redis_url: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """One API process, as the local stack starts it."""
    port = free_port()
    command = (
        *(sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory"),
        *("--port", str(port), "--loop", "uvloop", "--http", "httptools"),
        *("--ws-max-size", "65536", "--no-access-log", "--log-level", "warning"),
        *("--timeout-graceful-shutdown", "1"),
    )
    env = os.environ | {
        "WTB_DATABASE_URL": database_url,
        "WTB_REDIS_URL": redis_url,
        "WTB_API_KEY": KEY,
        "WTB_PROJECTS": str(PROJECT),
        "WTB_LOG_LEVEL": "WARNING",
    }
    process = await asyncio.create_subprocess_exec(*command, env=env)
    url = f"http://127.0.0.1:{port}"
    try:
        await answers(url)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


async def answers(url: str) -> None:
    """Wait until the server does."""
    async with WTBClient(url, api_key=KEY) as client, asyncio.timeout(30):
        while True:
            try:
                await client.health()
            except ServerUnreachable:
                await asyncio.sleep(0.1)
            else:
                return


async def open_readers(
    url: str, client: WTBClient, count: int, reading: list[asyncio.Task[None]]
) -> list[Reader]:
    """Readers of as many new executions, all of them caught up; what they do joins `reading`."""
    places = asyncio.Semaphore(OPEN_AT_ONCE)

    async def open_one(number: int) -> Reader:
        async with places:
            made = await client.executions.create("four_nodes", {"q": "idle", "log": []})
            reader = Reader(made.id, over_websocket=number % 2 == 1)
            reading.append(asyncio.create_task(reader.read(url)))
            await reader.is_open.wait()
            return reader

    return list(await asyncio.gather(*map(open_one, range(count))))


@asynccontextmanager
async def reading_tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that end with the block."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wake(client: WTBClient, signals: RelaySignals, reader: Reader) -> float:
    """Stop an execution; answers in how many ms after the announcement its reader knew."""
    await client.executions.stop(reader.execution_id)
    announced_at = time.perf_counter()
    await signals.announce([reader.execution_id])
    return (await reader.heard_at - announced_at) * MILLISECONDS


async def measure(
    database_url: str, redis_url: str, *, readers: int, idle: float, wakes: int
) -> None:
    """Measure and print."""
    redis = open_redis(redis_url)
    async with (
        redis,
        served(database_url, redis_url) as (url, process),
        WTBClient(url, api_key=KEY) as client,
        reading_tasks() as tasks,
    ):
        await client.workflows.create("four_nodes", "./four_nodes.py:build")
        await open_readers(url, client, 20, tasks)  # What is made once is made now.
        before = Use.of(process)
        opened = await open_readers(url, client, readers, tasks)
        await asyncio.sleep(2)
        began = Use.of(process)
        await asyncio.sleep(idle)
        ended = Use.of(process)
        # Some of the readers over either way, spread over all of them.
        chosen = opened[:: max(readers // wakes, 1) | 1][:wakes]
        signals = RelaySignals(redis)
        times = {True: [0.0], False: [0.0]}
        for over_websocket in times:
            times[over_websocket] = [
                await wake(client, signals, each)
                for each in chosen
                if each.over_websocket is over_websocket
            ]
    show(readers, before, began, ended, idle, times)


def show(
    readers: int,
    before: Use,
    began: Use,
    ended: Use,
    idle: float,
    times: dict[bool, list[float]],
) -> None:
    """Print the figures for people."""
    grown = began.memory_bytes - before.memory_bytes
    share = (ended.cpu_seconds - began.cpu_seconds) / idle
    table = Table(f"{readers} idle readers on one API process", "")
    table.add_row("memory with a few readers", f"{before.memory_bytes / 2**20:.0f} MB")
    table.add_row("memory with all of them", f"{began.memory_bytes / 2**20:.0f} MB")
    table.add_row("per reader", f"{grown / readers / 1024:.0f} KB")
    table.add_row(f"CPU while idle for {idle:.0f} s", f"{share:.2%} of one processor")
    for name, values in (("SSE", times[False]), ("WebSocket", times[True])):
        shares = ", ".join(f"p{percent} {percentile(values, percent):.1f}" for percent in (50, 99))
        table.add_row(f"announced to heard over {name}, ms", shares)
    Console().print(table)


def main() -> None:
    """Measure on servers of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--idle", type=float, default=40.0, help="seconds")
    parser.add_argument("--wakes", type=int, default=200)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="wtb-bench-") as folder,
        embedded_services(Path(folder)) as services,
    ):
        prepare_database(services.database_url)
        measuring = measure(
            services.database_url,
            services.redis_url or "",
            readers=arguments.readers,
            idle=arguments.idle,
            wakes=arguments.wakes,
        )
        asyncio.run(measuring)


if __name__ == "__main__":
    main()
