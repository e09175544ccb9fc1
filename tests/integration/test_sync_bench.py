"""The bench without `await`."""

import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from local_benches import case, words_project

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.sdk.bench import WTBTestBench
from wtb_async.sdk.datasets import Datasets
from wtb_async.sdk.files import Files
from wtb_async.sdk.loop_thread import LoopThread
from wtb_async.sdk.sync import SyncDatasets, SyncFiles, SyncTestBench


@pytest.fixture
def bench(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncTestBench]:
    monkeypatch.setenv("WTB_DATABASE_URL", database_url)
    with WTBTestBench.sync.local(slots=2) as opened:
        yield opened


def test_everything_works_without_await(bench: SyncTestBench) -> None:
    bench.register_project(words_project())
    execution = bench.run("words", {"text": "a b"})
    assert execution.status is ExecutionStatus.COMPLETED
    events = [each.type for each in bench.events(execution.id)]
    assert events == ["ExecutionCreated", "ExecutionStarted", "ExecutionCompleted"]
    checkpoints = bench.get_checkpoints(execution.id)
    bench.rollback(execution.id, checkpoints[1].id)
    assert bench.resume(execution.id).output == execution.output
    bench.datasets.create("sentences")
    assert [each.name for each in bench.datasets.list()] == ["sentences"]
    batch = bench.run_batch_test("words", test_cases=[case("one", "a")])
    assert [row.test_case_id for row in bench.results(batch.id)] == ["one"]


def test_a_loop_that_is_left_early_stops_following(bench: SyncTestBench) -> None:
    bench.register_project(words_project())
    execution = bench.run("words", {"text": "a b"})
    following = bench.events(execution.id)
    assert next(following).type == "ExecutionCreated"
    following.close()  # type: ignore[attr-defined]
    assert bench.get(execution.id) == execution


def test_closing_ends_its_thread_and_once_is_enough(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WTB_DATABASE_URL", database_url)
    bench = WTBTestBench.sync.local()
    assert "wtb-bench" in {each.name for each in threading.enumerate()}
    bench.close()
    bench.close()
    assert "wtb-bench" not in {each.name for each in threading.enumerate()}


@asynccontextmanager
async def breaking() -> AsyncIterator[WTBTestBench]:
    async with WTBTestBench.connect("http://127.0.0.1:1", api_key="none") as bench:
        yield bench
    raise LookupError("broken")


def test_what_it_ends_with_is_raised_where_it_is_closed() -> None:
    bench = SyncTestBench(LoopThread(breaking()))
    with pytest.raises(LookupError, match="broken"):
        bench.close()


def test_what_keeps_it_from_opening_is_raised(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        WTBTestBench.sync.local(tmp_path, tmp_path / "langgraph.json")


@pytest.mark.parametrize(
    ("sync", "original"),
    [(SyncTestBench, WTBTestBench), (SyncDatasets, Datasets), (SyncFiles, Files)],
)
def test_no_verb_is_left_out(sync: type, original: type) -> None:
    verbs = {name for name, _ in inspect.getmembers(original, inspect.isfunction) if name[0] != "_"}
    assert verbs <= set(dir(sync))
