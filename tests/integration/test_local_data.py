"""What a local bench leaves behind, who may open the same data, and what the next one finds."""

import asyncio
import sys
import threading
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from arranging import eventually, register_runner
from local_benches import Words, local_bench, words_project

from wtb_async.domain.errors import Conflict
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.embedded.local_database import BenchAlreadyOpen
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.sdk.bench import WTBTestBench

_KILLED_BENCH = """
import asyncio, sys
from pathlib import Path
from local_benches import words_project
from wtb_async.sdk.bench import WTBTestBench

async def count(state):
    with Path(sys.argv[1]).open("a") as file:
        file.write("split\\n")
    return {"words": state["text"].split()}

async def hang(state):
    print("hangs", flush=True)
    await asyncio.sleep(3600)

async def main():
    async with WTBTestBench.local() as bench:
        await bench.register_project(words_project(first=count, second=hang))
        execution = await bench.run("words", {"text": "a b"}, wait=False)
        print(execution.id, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


async def killed_bench(database_url: str, visits: Path) -> UUID:
    """Run a bench in a process that is killed while its second node runs; answers its execution."""
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "WTB_DATABASE_URL": database_url,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _KILLED_BENCH, str(visits)),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = [(await process.stdout.readline()).decode().strip() for _ in range(2)]
    process.kill()
    await process.wait()
    [execution_id] = set(said) - {"hangs"}
    return UUID(execution_id)


async def test_what_a_killed_bench_ran_waits_for_its_functions_and_goes_on(
    database_url: str, tmp_path: Path
) -> None:
    visits = tmp_path / "visits"
    execution_id = await killed_bench(database_url, visits)
    async with local_bench(database_url) as bench:
        await bench.register_project(words_project("other"))
        other = await bench.run("other", {"text": "a"})
        waiting = await bench.get(execution_id)
        await bench.register_project(words_project())
        done = await bench.wait_for(execution_id)
    assert other.status is ExecutionStatus.COMPLETED
    assert waiting.status in {ExecutionStatus.PENDING, ExecutionStatus.RUNNING}
    assert done.output == {"text": "a b", "words": ["a", "b"], "answer": "a b"}
    assert visits.read_text() == "split\n"


async def test_leaving_waits_for_what_is_executed(database_url: str) -> None:
    began = asyncio.Event()

    async def take_a_moment(state: Words) -> Words:
        began.set()
        await asyncio.sleep(0.3)
        return {"answer": state["text"]}

    async with local_bench(database_url) as bench:
        await bench.register_project(words_project(second=take_a_moment))
        execution = await bench.run("words", {"text": "a"}, wait=False)
        await began.wait()
    async with local_bench(database_url) as bench:
        assert (await bench.get(execution.id)).status is ExecutionStatus.COMPLETED


async def test_a_function_that_nobody_has_given_fails_its_run_with_what_to_do(
    database_url: str,
) -> None:
    async with local_bench(database_url) as bench:
        await bench.register_project(words_project())
    async with local_bench(database_url) as bench:
        failed = await bench.run("words", {"text": "a"})
        assert failed.error is not None
        assert "bench.register_project" in failed.error.message
        await bench.register_project(words_project())
        assert (await bench.resume(failed.id)).status is ExecutionStatus.COMPLETED


async def test_a_database_has_one_bench_at_a_time(database_url: str) -> None:
    async with local_bench(database_url):
        with pytest.raises(BenchAlreadyOpen, match="WTB_DATABASE_URL"):
            async with local_bench(database_url):
                pass


async def test_a_server_s_database_is_left_to_its_runners(
    database: Database, database_url: str
) -> None:
    await register_runner(database.unit_of_work, "runner-default-0")
    with pytest.raises(Conflict, match="runner-default-0"):
        async with local_bench(database_url):
            pass


async def test_an_error_of_the_block_stays_as_it_is(database_url: str) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with local_bench(database_url):
            raise LookupError("mine")


async def test_a_data_directory_is_its_bench_s_alone_and_nothing_is_left(tmp_path: Path) -> None:
    children, threads = _children(), set(threading.enumerate())
    async with WTBTestBench.local(tmp_path) as bench:
        await bench.register_project(words_project())
        made = await bench.run("words", {"text": "a"})
        with pytest.raises(BenchAlreadyOpen, match=str(tmp_path)):
            async with WTBTestBench.local(tmp_path):
                pass
    async with WTBTestBench.local(tmp_path) as bench:
        assert (await bench.get(made.id)).output == made.output
    assert _children() <= children

    async def no_thread_is_left() -> bool:
        return set(threading.enumerate()) <= threads

    await eventually(no_thread_is_left)


def _children() -> set[int]:
    return {each.pid for each in psutil.Process().children()}
