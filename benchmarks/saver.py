"""The group-commit saver side by side with one shared stock saver, and nothing else around them.

Runs the four-node graph 32 times at once in this process, `durability="sync"`, on a Postgres of its
own; the two savers take turns, so that a noisy machine is as noisy for both.

    python benchmarks/saver.py [--runs 500] [--rounds 5] [--json FILE]
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from bare_langgraph import CONCURRENCY, run_many, shared_stock_saver
from langgraph.checkpoint.base import BaseCheckpointSaver
from rich.console import Console
from rich.table import Table

from wtb_async.infrastructure.checkpoints.open_saver import open_saver
from wtb_async.infrastructure.embedded import embedded_services
from wtb_async.infrastructure.postgres.database import INDEX_ONLY_PLANS


@dataclass
class Measured:
    """One saver, one entry a round."""

    runs_per_second: list[float] = field(default_factory=list)
    cpu_ms_per_run: list[float] = field(default_factory=list)
    """Of this process, which is all but Postgres."""

    async def add_round(self, saver: BaseCheckpointSaver[str], runs: int, name: str) -> None:
        """Measure once more."""
        process = psutil.Process()
        before = sum(process.cpu_times()[:2])
        self.runs_per_second.append(await run_many(saver, runs, name))
        cpu_seconds = sum(process.cpu_times()[:2]) - before
        self.cpu_ms_per_run.append(cpu_seconds / runs * 1000)


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    runs: int
    group_commit: Measured
    stock: Measured

    @property
    def ratio(self) -> float:
        """Median over the rounds of how many times as many runs per second."""
        pairs = zip(self.group_commit.runs_per_second, self.stock.runs_per_second, strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


async def measure(database_url: str, runs: int, rounds: int) -> Figures:
    """All rounds, in turns, after one of each that does not count."""
    figures = Figures(runs, Measured(), Measured())
    async with (
        shared_stock_saver(database_url) as stock,
        open_saver(database_url, server_settings=INDEX_ONLY_PLANS) as ours,
    ):
        await run_many(stock, 2 * CONCURRENCY, "stock-first")
        await run_many(ours, 2 * CONCURRENCY, "ours-first")
        for number in range(rounds):
            await figures.group_commit.add_round(ours, runs, f"ours-{number}")
            await figures.stock.add_round(stock, runs, f"stock-{number}")
    return figures


def show(figures: Figures) -> None:
    """Print the figures for people."""
    title = f"{figures.runs} runs of 4 nodes, {CONCURRENCY} at once"
    table = Table("", "group commit", "stock", title=title)
    both = (figures.group_commit, figures.stock)
    table.add_row("runs per second", *(spread(each.runs_per_second, 0) for each in both))
    table.add_row("CPU per run, ms", *(spread(each.cpu_ms_per_run, 2) for each in both))
    table.add_row("ratio", f"{figures.ratio:.2f}", "1.00")
    Console().print(table)


def spread(values: list[float], digits: int) -> str:
    """Median, and from the least to the most."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="wtb-bench-") as folder,
        embedded_services(Path(folder), redis=False) as services,
    ):
        figures = asyncio.run(measure(services.database_url, arguments.runs, arguments.rounds))
    show(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(figures) | {"ratio": figures.ratio}, indent=2))


if __name__ == "__main__":
    main()
