"""The example of ten machine-learning steps, as its users would run it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from stack_fixtures import running_stack

from wtb_async.cli.batch_file import read_batch_file
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.embedded.record import StackRecord
from wtb_async.sdk.client import WTBClient

PROJECT = Path(__file__).parents[2] / "examples" / "ml_pipeline"
DEADLINE_SECONDS = 120.0
SPLIT: JsonObject = {"dataset": "breast_cancer", "seed": 1, "test_fraction": 0.3}


@pytest.fixture(scope="module")
def ml_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackRecord]:
    """A stack that serves the example."""
    with running_stack(PROJECT / "langgraph.json", tmp_path_factory.mktemp("ml")) as record:
        yield record


@pytest.fixture
async def bench(ml_stack: StackRecord) -> AsyncIterator[WTBClient]:
    addresses = ml_stack.addresses
    async with WTBClient(addresses.api_url, api_key=addresses.api_key) as opened:
        yield opened


async def test_every_combination_of_the_batch_runs_and_the_linear_model_wins(
    bench: WTBClient,
) -> None:
    body = read_batch_file(PROJECT / "batch.json")
    cases = body["test_cases"]
    assert isinstance(cases, list)
    made = await bench.batch_tests.create(body | {"test_cases": cases[:1]})
    async with asyncio.timeout(DEADLINE_SECONDS):
        done = await bench.batch_tests.wait_for(made.id)
    assert (done.counts.total, done.counts.completed) == (18, 18)
    found = {each.key: each for each in (await bench.batch_tests.comparison(made.id)).evaluators}
    assert all(cell.n == 1 for evaluator in found.values() for cell in evaluator.cells)
    best = found["neg_log_loss"].cells[0]
    assert best.combination["train"] == "base"
    accuracy = {tuple(cell.combination.items()): cell.mean for cell in found["accuracy"].cells}
    assert 0.94 < (accuracy[tuple(best.combination.items())] or 0.0) <= 1.0


async def test_rolled_back_to_before_its_training_a_run_comes_to_the_same_report_and_files(
    bench: WTBClient,
) -> None:
    made = await bench.executions.create("ml", SPLIT, variants={"train": "forest"})
    async with asyncio.timeout(DEADLINE_SECONDS):
        first = await bench.executions.wait_for(made.id)
        files = await contents(bench, made.id)
        back = await bench.executions.roll_back(made.id, before_node="train")
        assert (back.status, back.next_nodes) == (ExecutionStatus.PAUSED, ("train",))
        state = await bench.executions.state(made.id)
        prepared = await contents(bench, made.id)
        await bench.executions.resume(made.id)
        again = await bench.executions.wait_for(made.id)
    assert isinstance(state.values, dict)
    assert {"features", "test_rows"} <= set(state.values)
    assert {"model", "report"}.isdisjoint(state.values)
    assert first.status is again.status is ExecutionStatus.COMPLETED
    assert deterministic(first.output) == deterministic(again.output)
    assert set(prepared) == {"split.csv", "training.csv"}
    assert prepared.items() <= files.items()
    assert {"model.json", "predictions.csv", "report.md"} <= set(files)
    assert await contents(bench, made.id) == files


async def test_a_fraction_that_leaves_nothing_to_learn_from_fails_where_it_is_validated(
    bench: WTBClient,
) -> None:
    made = await bench.executions.create("ml", {**SPLIT, "test_fraction": 0.99})
    async with asyncio.timeout(DEADLINE_SECONDS):
        failed = await bench.executions.wait_for(made.id)
    assert failed.error is not None
    assert (failed.error.type, failed.error.node) == ("InvalidExperimentError", "validate")


async def contents(bench: WTBClient, execution_id: UUID) -> dict[str, bytes]:
    """Every file of an execution, byte for byte."""
    paths = [file.path async for file in bench.files.list(execution_id)]
    return {path: await bench.files.read(execution_id, path) for path in paths}


def deterministic(output: Any) -> Any:  # noqa: ANN401 - the graph's own JSON
    return {key: value for key, value in output.items() if key != "fit_ms"}
