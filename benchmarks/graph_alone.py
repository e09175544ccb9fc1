"""The graph on the group-commit saver and nothing else: what a runner's CPU is compared with.

A process like a runner's (uvloop, a tuned garbage collector, as many slots) without claims,
settling, node boundaries and events. Prints its CPU per run in milliseconds.

    python benchmarks/graph_alone.py DATABASE_URL RUNS NAME
"""

import asyncio
import gc
import subprocess
import sys
import time

import uvloop
from bare_langgraph import run_many

from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.checkpoints.group_writer import WriterOptions
from wtb_async.infrastructure.checkpoints.open_saver import open_saver
from wtb_async.infrastructure.postgres.database import INDEX_ONLY_PLANS
from wtb_async.settings import RunnerSettings

WARM_UP_RUNS = 100


def measure_graph_alone(database_url: str, runs: int, name: str) -> float:
    """CPU in ms per run of such a process."""
    command = [sys.executable, __file__, database_url, str(runs), name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return float(done.stdout)


async def _measure(database_url: str, runs: int, name: str) -> float:
    settings = RunnerSettings()
    options = WriterOptions(writers=settings.checkpoint_writers, batch=settings.checkpoint_batch)
    async with open_saver(database_url, options, server_settings=INDEX_ONLY_PLANS) as saver:
        await _drive_new(saver, WARM_UP_RUNS, f"{name}-warm-up")
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)
        before = time.process_time()
        await _drive_new(saver, runs, name)
        return (time.process_time() - before) / runs * 1000


async def _drive_new(saver: GroupCommitSaver, runs: int, name: str) -> None:
    for number in range(runs):
        saver.expect_new(f"{name}-{number}")
    await run_many(saver, runs, name)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(_measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
