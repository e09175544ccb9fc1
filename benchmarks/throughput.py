"""The whole way of a run, side by side with bare LangGraph on its stock saver.

Starts a local stack with one runner and then one with two, and measures in turns, so that a noisy
machine is as noisy for all:

- WTB: one POST of a batch of runs of the four-node graph, until the last one is completed;
- bare LangGraph: the same graph and inputs in one process on one shared `AsyncPostgresSaver`,
  on the same Postgres, `durability="sync"`;
- the graph alone on WTB's saver, in a process like a runner's: what WTB adds is the rest;
- an idle system: one execution at a time, from its POST to its first node and to its end.

    python benchmarks/throughput.py [--runs 2000] [--rounds 3] [--idle 200] [--json FILE]
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from bare_langgraph import run_many, shared_stock_saver
from figures import MILLISECONDS, Idle, Throughput, show
from graph_alone import measure_graph_alone
from stack_processes import StackProcesses

from wtb_async.infrastructure.embedded import LocalStack, LocalStackSettings, StackAddresses
from wtb_async.sdk.client import WTBClient

PROJECT = Path(__file__).parent / "four_nodes"
WARM_UP_RUNS = 200
SETTLED_SECONDS = 0.3
"""Events of the last runs are still on their way to Flower when a batch is complete."""


@dataclass(frozen=True)
class Stack:
    """A running stack, a database beside it, and a client."""

    addresses: StackAddresses
    bare_url: str
    processes: StackProcesses
    client: WTBClient
    runners: int


@contextmanager
def local_stack(runners: int, *, project: Path = PROJECT) -> Iterator[tuple[StackAddresses, Path]]:
    """A stack with a fixed number of runners, in a folder of its own."""
    os.environ["WTB_POOL__MIN_RUNNERS"] = os.environ["WTB_POOL__MAX_RUNNERS"] = str(runners)
    with tempfile.TemporaryDirectory(prefix="wtb-bench-") as folder:
        data_dir = Path(folder).resolve()
        settings = LocalStackSettings(
            data_dir=data_dir, port=0, flower_port=0, project=project / "langgraph.json"
        )
        stack = LocalStack(settings)
        try:
            yield stack.up(), data_dir
        finally:
            stack.down()


@contextmanager
def bare_database(addresses: StackAddresses) -> Iterator[str]:
    """A database of its own beside the stack's."""
    with psycopg.connect(addresses.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare")
        try:
            yield addresses.database_url.rpartition("/")[0] + "/bare"
        finally:
            connection.execute("DROP DATABASE bare WITH (FORCE)")


def batch_of(runs: int) -> dict[str, Any]:
    """A batch test with one combination and `runs` cases."""
    return {
        "workflow": "four_nodes",
        "name": f"{runs} runs",
        "test_cases": [{"id": str(n), "input": {"q": f"q{n}", "log": []}} for n in range(runs)],
    }


async def measure_wtb(client: WTBClient, runs: int) -> tuple[float, float]:
    """Runs per second from the POST to the last end, and how long the POST took in ms."""
    began = time.perf_counter()
    batch = await client.batch_tests.create(batch_of(runs))
    accepted = time.perf_counter()
    done = await client.batch_tests.wait_for(batch.id)
    seconds = time.perf_counter() - began
    if done.counts.completed != runs:
        raise SystemExit(f"only {done.counts.completed} of {runs} runs completed")
    return runs / seconds, (accepted - began) * MILLISECONDS


async def measure_bare(database_url: str, runs: int, name: str) -> float:
    """Runs per second of LangGraph alone, one process, one shared stock saver."""
    async with shared_stock_saver(database_url) as saver:
        return await run_many(saver, runs, name)


async def warm_up(stack: Stack) -> None:
    """Batches until every runner has had its part of one, and a few bare runs."""
    while True:
        await measure_wtb(stack.client, WARM_UP_RUNS)
        if await asyncio.to_thread(_busy_runners, stack.addresses.database_url) >= stack.runners:
            break
    await measure_wtb(stack.client, WARM_UP_RUNS)
    await measure_bare(stack.bare_url, 50, "warm-up")


def _busy_runners(database_url: str) -> int:
    """How many runners have had more than a tenth of a warm-up."""
    with psycopg.connect(database_url) as connection:
        runs_each = connection.execute("SELECT count(*) FROM wtb_runs GROUP BY runner_id")
        return sum(count > WARM_UP_RUNS / 10 for (count,) in runs_each)


async def measure_throughput(stack: Stack, runs: int, rounds: int) -> Throughput:
    """The stack and its baselines, in turns."""
    baseline_runs = max(runs // 4, 1)
    found = Throughput(stack.runners, runs, baseline_runs)
    for number in range(rounds):
        before = stack.processes.cpu_seconds()
        rate, accept_ms = await measure_wtb(stack.client, runs)
        await asyncio.sleep(SETTLED_SECONDS)
        found.add_cpu(before, stack.processes.cpu_seconds())
        stack.processes.sample_memory()
        found.wtb.append(rate)
        found.accept_ms.append(accept_ms)
        name, began = f"round-{number}", time.process_time()
        found.bare.append(await measure_bare(stack.bare_url, baseline_runs, name))
        found.bare_cpu_seconds += time.process_time() - began
        alone = asyncio.to_thread(
            measure_graph_alone, stack.bare_url, baseline_runs, f"alone-{number}"
        )
        found.graph_alone_ms.append(await alone)
    found.peak_memory_mb = stack.processes.peak_memory_mb
    return found


async def measure_idle(client: WTBClient, executions: int) -> Idle:
    """From the POST to the first node's first line, and to the recorded end."""
    found = Idle([], [])
    for number in range(executions):
        await asyncio.sleep(0.05)
        began = time.time()
        made = await client.executions.create("four_nodes", {"q": f"t{number}", "log": []})
        # To ask for its events at once would take the processor from what is measured.
        await asyncio.sleep(0.05)
        ended = await client.executions.wait_for(made.id)
        if ended.finished_at is None:
            raise SystemExit(f"execution {made.id} did not complete: {ended.error}")
        found.to_first_node.append((first_mark(ended.output) - began) * MILLISECONDS)
        found.to_end.append((ended.finished_at.timestamp() - began) * MILLISECONDS)
    return found


def first_mark(output: Any) -> float:  # noqa: ANN401 - JSON of the four-node graph
    """When the first node began, as it noted itself."""
    return float(output["log"][0].partition("@")[2])


@asynccontextmanager
async def open_stack(runners: int) -> AsyncIterator[Stack]:
    """A stack with a fixed number of runners, warm."""
    with local_stack(runners) as (addresses, data_dir), bare_database(addresses) as bare_url:
        processes = StackProcesses(addresses.database_url, data_dir)
        async with WTBClient(addresses.api_url, api_key=addresses.api_key) as client:
            stack = Stack(addresses, bare_url, processes, client, runners)
            await warm_up(stack)
            yield stack


async def measure(runs: int, rounds: int, executions: int) -> tuple[list[Throughput], Idle]:
    """All figures."""
    async with open_stack(runners=1) as stack:
        one = await measure_throughput(stack, runs, rounds)
        idle = await measure_idle(stack.client, executions)
    async with open_stack(runners=2) as stack:
        two = await measure_throughput(stack, runs, rounds)
    return [one, two], idle


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=200)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    measured = measure(arguments.runs, arguments.rounds, arguments.idle)
    stacks, idle = asyncio.run(measured)
    show(stacks, idle)
    if arguments.json:
        everything = {"throughput": [asdict(stack) for stack in stacks], "idle": asdict(idle)}
        arguments.json.write_text(json.dumps(everything, indent=2))


if __name__ == "__main__":
    main()
