"""The whole way of a run, side by side with bare LangGraph on its stock saver.

Starts the local stack, then measures in turns, so that a noisy machine is as noisy for both:

- WTB: one POST of a batch of runs of the four-node graph, until the last one is completed;
- bare LangGraph: the same graph and inputs in one process on one shared `AsyncPostgresSaver`,
  on the same Postgres, `durability="sync"`;
- an idle system: one execution at a time, from its POST to its first node and to its end.

    python benchmarks/throughput.py [--runs 500] [--rounds 3] [--json FILE]
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from bare_langgraph import run_many, shared_stock_saver
from rich.console import Console
from rich.table import Table

from wtb_async.infrastructure.embedded import LocalStack, LocalStackSettings, StackAddresses
from wtb_async.sdk.client import WTBClient

PROJECT = Path(__file__).parent / "four_nodes"
IDLE_EXECUTIONS = 40


@dataclass(frozen=True)
class Figures:
    """What was measured; rates in runs per second, latencies in milliseconds."""

    runs: int
    wtb_runs_per_second: list[float]
    bare_runs_per_second: list[float]
    ratio: float
    accept_ms: float
    first_node_ms: float
    done_ms: float
    wtb_cpu_seconds_per_run: float
    bare_cpu_seconds_per_run: float
    peak_memory_mb: float


class ProcessTree:
    """CPU and memory of the stack: the supervisor's descendants, Ray's daemons among them."""

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self.peak_memory_mb = 0.0

    def processes(self) -> Iterator[psutil.Process]:
        """Every process whose environment names this stack's database."""
        for process in psutil.process_iter():
            try:
                if self._marker in process.environ().get("WTB_DATABASE_URL", ""):
                    yield process
            except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue

    def cpu_seconds(self) -> float:
        """User and system time of all of them so far."""
        return sum(sum(p.cpu_times()[:2]) for p in self.processes() if p.is_running())

    def sample_memory(self) -> None:
        """Note the proportional set size, which counts shared pages once."""
        total = 0
        for process in self.processes():
            try:
                total += process.memory_full_info().pss
            except (psutil.AccessDenied, psutil.NoSuchProcess):
                continue
        self.peak_memory_mb = max(self.peak_memory_mb, total / 2**20)


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
    return runs / seconds, (accepted - began) * 1000


async def measure_bare(database_url: str, runs: int, name: str) -> float:
    """Runs per second of LangGraph alone, one process, one shared stock saver."""
    async with shared_stock_saver(database_url) as saver:
        return await run_many(saver, runs, name)


async def measure_idle(client: WTBClient) -> tuple[float, float]:
    """Medians in ms from the POST to the first node's first line, and to the recorded end."""
    to_first: list[float] = []
    to_end: list[float] = []
    for number in range(IDLE_EXECUTIONS):
        await asyncio.sleep(0.05)
        began = time.time()
        made = await client.executions.create("four_nodes", {"q": f"t{number}", "log": []})
        ended = await client.executions.wait_for(made.id)
        if ended.finished_at is None:
            raise SystemExit(f"execution {made.id} did not complete: {ended.error}")
        to_first.append((first_mark(ended.output) - began) * 1000)
        to_end.append((ended.finished_at.timestamp() - began) * 1000)
    return statistics.median(to_first), statistics.median(to_end)


def first_mark(output: Any) -> float:  # noqa: ANN401 - JSON of the four-node graph
    """When the first node began, as it noted itself."""
    return float(output["log"][0].partition("@")[2])


@contextmanager
def bare_database(addresses: StackAddresses) -> Iterator[str]:
    """A database of its own beside the stack's."""
    with psycopg.connect(addresses.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare")
        try:
            yield addresses.database_url.rpartition("/")[0] + "/bare"
        finally:
            connection.execute("DROP DATABASE bare WITH (FORCE)")


async def measure(addresses: StackAddresses, bare_url: str, runs: int, rounds: int) -> Figures:
    """All figures, in turns."""
    tree = ProcessTree(addresses.database_url)
    wtb: list[float] = []
    bare: list[float] = []
    accepts: list[float] = []
    wtb_cpu = bare_cpu = 0.0
    me = psutil.Process()
    async with WTBClient(addresses.api_url, api_key=addresses.api_key) as client:
        await measure_wtb(client, 200)
        await measure_bare(bare_url, 50, "warm-up")
        for number in range(rounds):
            before = tree.cpu_seconds()
            rate, accept = await measure_wtb(client, runs)
            wtb_cpu += tree.cpu_seconds() - before
            tree.sample_memory()
            wtb.append(rate)
            accepts.append(accept)
            before = sum(me.cpu_times()[:2])
            bare.append(await measure_bare(bare_url, runs, str(number)))
            bare_cpu += sum(me.cpu_times()[:2]) - before
        first_node, done = await measure_idle(client)
    return Figures(
        runs=runs,
        wtb_runs_per_second=wtb,
        bare_runs_per_second=bare,
        ratio=statistics.median(a / b for a, b in zip(wtb, bare, strict=True)),
        accept_ms=statistics.median(accepts),
        first_node_ms=first_node,
        done_ms=done,
        wtb_cpu_seconds_per_run=wtb_cpu / (runs * rounds),
        bare_cpu_seconds_per_run=bare_cpu / (runs * rounds),
        peak_memory_mb=tree.peak_memory_mb,
    )


def show(figures: Figures) -> None:
    """Print the figures for people."""
    table = Table("", "WTB end to end", "bare LangGraph", title=f"{figures.runs} runs of 4 nodes")

    def rates(values: list[float]) -> str:
        middle = statistics.median(values)
        return f"{middle:.0f} ({min(values):.0f} to {max(values):.0f})"

    table.add_row(
        "runs per second", rates(figures.wtb_runs_per_second), rates(figures.bare_runs_per_second)
    )
    table.add_row(
        "CPU per run, without Postgres",
        f"{figures.wtb_cpu_seconds_per_run * 1000:.2f} ms",
        f"{figures.bare_cpu_seconds_per_run * 1000:.2f} ms",
    )
    table.add_row("ratio", f"{figures.ratio:.2f}", "1.00")
    table.add_row(f"accepting a batch of {figures.runs}", f"{figures.accept_ms:.0f} ms", "")
    table.add_row("idle: POST to first node, median", f"{figures.first_node_ms:.1f} ms", "")
    table.add_row("idle: POST to done, median", f"{figures.done_ms:.1f} ms", "")
    table.add_row("peak memory of the stack", f"{figures.peak_memory_mb:.0f} MB", "")
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wtb-bench-") as folder:
        settings = LocalStackSettings(
            data_dir=Path(folder), port=0, flower_port=0, project=PROJECT / "langgraph.json"
        )
        stack = LocalStack(settings)
        addresses = stack.up()
        try:
            with bare_database(addresses) as bare_url:
                measured = measure(addresses, bare_url, arguments.runs, arguments.rounds)
                figures = asyncio.run(measured)
        finally:
            stack.down()
    show(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(figures), indent=2))


if __name__ == "__main__":
    main()
