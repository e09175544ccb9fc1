"""A variant matrix with and without shared prefixes, in turns on one local stack.

The last three of five nodes, 20 ms each, have three variants: 27 combinations on 4 cases, on one
runner with 4 slots. Without shared prefixes that is 540 node executions, with them 164.

    python benchmarks/prefixes.py [--rounds 3] [--json FILE]
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from throughput import local_stack

from wtb_async.domain.json import JsonObject
from wtb_async.sdk.client import WTBClient

PROJECT = Path(__file__).parent / "five_nodes"
VARIED = ("n3", "n4", "n5")
VARIANTS = ("base", "second", "third")
CASES = 4
SLOTS = 4


@dataclass
class Measured:
    """One way of running the matrix, an entry per round."""

    seconds: list[float] = field(default_factory=list)
    """From the POST to the end of the batch."""
    node_executions: list[int] = field(default_factory=list)


def matrix(*, share_prefixes: bool) -> JsonObject:
    """The batch test."""
    return {
        "workflow": "five_nodes",
        "name": f"share_prefixes: {share_prefixes}",
        "variant_matrix": {node: list(VARIANTS) for node in VARIED},
        "test_cases": [{"id": str(n), "input": {"q": f"q{n}", "log": []}} for n in range(CASES)],
        "share_prefixes": share_prefixes,
    }


async def run(client: WTBClient, found: Measured, *, share_prefixes: bool) -> None:
    """Run the matrix once."""
    began = time.perf_counter()
    accepted = await client.batch_tests.create(matrix(share_prefixes=share_prefixes))
    done = await client.batch_tests.wait_for(accepted.id)
    found.seconds.append(time.perf_counter() - began)
    if done.counts.completed != done.counts.total or done.node_executions is None:
        raise SystemExit(f"only {done.counts.completed} of {done.counts.total} completed")
    found.node_executions.append(done.node_executions.run)


async def measure(rounds: int) -> tuple[Measured, Measured]:
    """From scratch and shared, in turns, after a round that does not count."""
    os.environ["WTB_RUNNER__SLOTS"] = str(SLOTS)
    scratch, shared = Measured(), Measured()
    with local_stack(runners=1, project=PROJECT) as (addresses, _):
        async with WTBClient(addresses.api_url, api_key=addresses.api_key) as client:
            await run_in_turns(client, Measured(), Measured())
            for _ in range(rounds):
                await run_in_turns(client, scratch, shared)
    return scratch, shared


async def run_in_turns(client: WTBClient, scratch: Measured, shared: Measured) -> None:
    """One round."""
    await run(client, scratch, share_prefixes=False)
    await run(client, shared, share_prefixes=True)


def show(scratch: Measured, shared: Measured) -> None:
    """Print the figures for people."""
    title = f"{len(VARIANTS) ** len(VARIED)} combinations x {CASES} cases, {SLOTS} slots"
    table = Table("", "node executions", "wall time", title=title)
    for name, found in (("from scratch", scratch), ("shared prefixes", shared)):
        low, high = min(found.seconds), max(found.seconds)
        seconds = f"{statistics.median(found.seconds):.2f} s ({low:.2f} to {high:.2f})"
        table.add_row(name, str(max(found.node_executions)), seconds)
    fewer = max(scratch.node_executions) / max(shared.node_executions)
    faster = statistics.median(a / b for a, b in zip(scratch.seconds, shared.seconds, strict=True))
    table.add_section()
    table.add_row("ratio", f"{fewer:.2f} x fewer", f"{faster:.2f} x less")
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    scratch, shared = asyncio.run(measure(arguments.rounds))
    show(scratch, shared)
    if arguments.json:
        figures = {"from_scratch": asdict(scratch), "shared": asdict(shared)}
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
