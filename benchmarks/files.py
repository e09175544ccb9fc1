"""What workspaces and their snapshots cost runs of a four-node graph, in turns on a local bench.

The workspaces begin with a source folder of ten small files, and no node changes any:

- none: there is no source folder, and no node asks for a workspace;
- unasked: each run has its workspace, of which no node takes notice;
- manual: the first node reads a file; snapshots are taken on demand, which is never;
- node: the same with a snapshot at the end of every node, which finds nothing new.

The overhead of snapshots is that of the last over the one before.

    python benchmarks/files.py [--runs 200] [--rounds 5]
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from wtb_async.sdk.bench import WTBTestBench

PROJECT = Path(__file__).parent / "file_nodes"
WORKFLOWS = ("none", "unasked", "manual", "node")
FILES = 10
SLOTS = 16


@dataclass
class Measured:
    """One workflow, in ms per run, an entry per round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Of this process, which is the whole system but Postgres."""


async def run(bench: WTBTestBench, workflow: str, runs: int, found: Measured) -> None:
    """Run a batch, from its POST until the last run is completed."""
    cases = [{"id": str(n), "input": {"q": f"q{n}", "log": []}} for n in range(runs)]
    began, cpu = time.perf_counter(), time.process_time()
    done = await bench.run_batch_test(workflow, test_cases=cases)
    found.wall.append((time.perf_counter() - began) / runs * 1000)
    found.cpu.append((time.process_time() - cpu) / runs * 1000)
    if done.counts.completed != runs:
        raise SystemExit(f"{workflow}: only {done.counts.completed} of {runs} completed")


async def measure(runs: int, rounds: int, folder: Path) -> dict[str, Measured]:
    """All workflows in turns, after a round that does not count."""
    project = folder / "project"
    shutil.copytree(PROJECT, project)
    (project / "data").mkdir()
    for number in range(FILES):
        (project / "data" / f"{number}.txt").write_text(f"file {number}")
    os.environ.pop("WTB_DATABASE_URL", None)
    found = {name: Measured() for name in WORKFLOWS}
    async with WTBTestBench.local(
        folder / "data", project / "langgraph.json", slots=SLOTS
    ) as bench:
        for name in WORKFLOWS:
            await run(bench, name, runs, Measured())
        for number in range(rounds):
            for name in WORKFLOWS if number % 2 else reversed(WORKFLOWS):
                await run(bench, name, runs, found[name])
    return found


def show(found: dict[str, Measured]) -> None:
    """Print the figures for people."""
    table = Table("", "wall", "CPU", "CPU, of the one before", title="ms per run, medians")
    before: Measured | None = None
    for name, measured in found.items():
        ratio = "" if before is None else f"{_ratio(measured.cpu, before.cpu):.3f} x"
        wall, cpu = statistics.median(measured.wall), statistics.median(measured.cpu)
        table.add_row(name, f"{wall:.2f}", f"{cpu:.2f}", ratio)
        before = measured
    Console().print(table)


def _ratio(these: list[float], those: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(these, those, strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wtb-bench-") as folder:
        show(asyncio.run(measure(arguments.runs, arguments.rounds, Path(folder).resolve())))


if __name__ == "__main__":
    main()
