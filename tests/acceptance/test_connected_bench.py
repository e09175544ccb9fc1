"""The test bench on a server: the same verbs, code by reference."""

from collections.abc import AsyncIterator

import pytest

from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.embedded.record import StackRecord
from wtb_async.sdk import BatchExecutor, WorkflowProject, WTBTestBench
from wtb_async.sdk.references import NotImportable


@pytest.fixture
async def bench(stack: StackRecord) -> AsyncIterator[WTBTestBench]:
    addresses = stack.addresses
    async with WTBTestBench.connect(addresses.api_url, api_key=addresses.api_key) as opened:
        yield opened


async def test_the_tour_of_the_local_bench_holds_on_a_server(bench: WTBTestBench) -> None:
    project = WorkflowProject("connected", "./letters/letters.py:build", description="by reference")
    project.register_variant("second", "shout", "./letters/letters.py:loud")
    registered = await bench.register_project(project)
    assert (registered.description, bench.batch_executor) == ("by reference", BatchExecutor.RAY)
    execution = await bench.run("connected", {})
    assert execution.output == {"letters": ["a", "b"]}
    _, before_second, *_ = await bench.get_checkpoints(execution.id)
    assert (await bench.rollback(execution.id, before_second.id)).next_nodes == ("second",)
    assert (await bench.resume(execution.id)).status is ExecutionStatus.COMPLETED
    fork = await bench.branch(execution.id, before_second.id, variants={"second": "shout"})
    assert fork.output == {"letters": ["a", "B!"]}
    assert [each.node for each in await bench.nodes(fork.id)] == ["first", "second"]
    batch = await bench.run_batch_test(
        "connected",
        variant_matrix=[{"second": "base"}, {"second": "shout"}],
        test_cases=[{"id": "one", "input": {}, "reference": {"letters": ["a", "b"]}}],
        evaluators=["wtb.exact_match"],
    )
    assert batch.status is BatchStatus.COMPLETED
    scores = {row.combination["second"]: row.scores for row in await bench.results(batch.id)}
    assert scores == {"base": {"wtb.exact_match": True}, "shout": {"wtb.exact_match": False}}
    assert "wtb.exact_match" in str(await bench.compare(batch.id))


async def test_a_function_that_a_server_cannot_import_is_not_sent(bench: WTBTestBench) -> None:
    project = WorkflowProject("unsent", lambda: None)
    with pytest.raises(NotImportable, match=r"WTBTestBench\.local"):
        await bench.register_project(project)
