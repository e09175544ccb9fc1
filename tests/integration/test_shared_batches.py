"""What a batch test whose executions share their prefixes shows of its nodes."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from arranging import eventually, register
from executing import nodes
from living_runner import LivingRunner, living_runner

from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.submit_batch_test import SubmitBatchTest, submit_batch_test
from wtb_async.application.batches.views import BatchTestView
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.dataset import CaseContent
from wtb_async.domain.execution import Limits
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries
from wtb_async.infrastructure.postgres.queries.executions import ExecutionFilter, ExecutionQueries
from wtb_async.settings import Settings

CASES = 3


@pytest.fixture
async def runner(settings: Settings, platform: Platform) -> AsyncIterator[LivingRunner]:
    await register(platform.database.unit_of_work)
    async with living_runner(settings) as living:
        yield living


async def run_batch(platform: Platform, *, share_prefixes: bool, do: str = "") -> BatchTestView:
    cases = [CaseContent(key=f"case {n}", input={"do": do}) for n in range(CASES)]
    batch = await submit_batch_test(
        SubmitBatchTest(
            workflow="letters",
            name="a batch",
            variant_matrix={"second": ["base", "loud"]},
            exclude=[],
            baseline=None,
            cases=CaseChoice(test_cases=cases),
            repetitions=1,
            evaluators=[],
            share_prefixes=share_prefixes,
            limits=Limits(),
            max_executions=100,
            caller="test",
        ),
        uow_factory=platform.database.unit_of_work,
        evaluators=platform.evaluation,
        nudges=platform.nudges,
    )

    async def ended() -> BatchTestView | None:
        found = await BatchTestQueries(platform.database.engine).get(batch.id)
        counts = found.counts
        return found if counts.completed + counts.failed == counts.total else None

    found = await eventually(ended)
    assert found is not None
    return found


async def executions_of(platform: Platform, batch: BatchTestView) -> dict[str, UUID]:
    """An execution of each combination."""
    wanted = ExecutionFilter(batch=batch.id)
    page = await ExecutionQueries(platform.database.engine).list(wanted, limit=10, cursor=None)
    return {execution.variants["second"]: execution.id for execution in page.items}


@pytest.mark.usefixtures("runner")
async def test_it_tells_how_many_node_executions_were_spared(platform: Platform) -> None:
    shared = (await run_batch(platform, share_prefixes=True)).node_executions
    alone = (await run_batch(platform, share_prefixes=False)).node_executions
    assert shared is not None
    assert (shared.run, shared.saved) == (3 * CASES, CASES)
    assert shared.saved_ms > 0
    assert alone is not None
    assert (alone.run, alone.saved, alone.saved_ms) == (4 * CASES, 0, 0.0)
    listed = await BatchTestQueries(platform.database.engine).list(
        workflow=None, limit=10, cursor=None
    )
    assert [batch.node_executions for batch in listed.items] == [None, None]


@pytest.mark.usefixtures("runner")
async def test_every_execution_shows_all_of_its_nodes_and_which_were_shared(
    platform: Platform,
) -> None:
    ids = await executions_of(platform, await run_batch(platform, share_prefixes=True))
    by_variant = {variant: await nodes(platform, ids[variant]) for variant in ids}
    for visited in by_variant.values():
        assert [(each.node, each.shared) for each in visited] == [
            ("first", True),
            ("second", False),
        ]
        assert visited[0].exit_checkpoint_id == visited[1].entry_checkpoint_id
    assert by_variant["base"][0].started_at == by_variant["loud"][0].started_at
    assert by_variant["base"][1].output == {"letters": ["b"]}
    assert by_variant["loud"][1].output == {"letters": ["B!"]}


@pytest.mark.usefixtures("runner")
async def test_every_result_tells_how_long_each_node_took_and_which_were_shared(
    platform: Platform,
) -> None:
    shared = await run_batch(platform, share_prefixes=True)
    alone = await run_batch(platform, share_prefixes=False)
    for batch, first_is_shared in ((shared, True), (alone, False)):
        queries = BatchTestQueries(platform.database.engine)
        rows = (await queries.results(batch.id, limit=2 * CASES, cursor=None)).items
        assert len(rows) == 2 * CASES
        for row in rows:
            assert [(each.node, each.shared, each.count) for each in row.nodes] == [
                ("first", first_is_shared, 1),
                ("second", False, 1),
            ]
            visited = await nodes(platform, row.execution_id)
            assert [each.duration_ms for each in row.nodes] == [
                each.duration_ms for each in visited
            ]


@pytest.mark.usefixtures("runner")
async def test_each_execution_fails_for_itself_behind_its_gate(platform: Platform) -> None:
    batch = await run_batch(platform, share_prefixes=True, do="fail")
    assert (batch.counts.completed, batch.counts.failed) == (CASES, CASES)
