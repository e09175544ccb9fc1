"""The runner: what becomes of runs, and what an end of theirs leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from arranging import PATIENCE_SECONDS, accept, eventually, history, register, select
from cuttable_line import cuttable_line
from living_runner import LivingRunner, living_runner
from pydantic import SecretStr

from wtb_async.application.executions.views import ExecutionView
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.errors import TransientError
from wtb_async.domain.execution import ENDED, ExecutionStatus, Limits
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.run_repository import PostgresRunRepository
from wtb_async.settings import Settings


@pytest.fixture
async def letters(platform: Platform) -> Workflow:
    return await register(platform.database.unit_of_work)


@pytest.fixture
async def runner(settings: Settings, letters: Workflow) -> AsyncIterator[LivingRunner]:
    del letters
    async with living_runner(settings) as living:
        yield living


async def submit(
    platform: Platform,
    workflow: Workflow,
    do: str = "",
    *,
    limits: Limits | None = None,
    choice: dict[str, str] | None = None,
) -> UUID:
    plan = await accept(
        platform.database.unit_of_work, workflow, input_={"do": do}, limits=limits, choice=choice
    )
    return plan.executions[0].execution_id


async def when(platform: Platform, execution_id: UUID, *statuses: ExecutionStatus) -> ExecutionView:
    """The execution, once it is in one of these statuses."""
    queries = ExecutionQueries(platform.database.engine)

    async def there() -> ExecutionView | None:
        execution = await queries.get(execution_id)
        return execution if execution.status in statuses else None

    found = await eventually(there)
    assert found is not None
    return found


async def ended(platform: Platform, execution_id: UUID) -> ExecutionView:
    return await when(platform, execution_id, *ENDED, ExecutionStatus.PAUSED)


@pytest.mark.usefixtures("runner")
async def test_a_run_completes_with_the_state_of_its_graph(
    platform: Platform, letters: Workflow
) -> None:
    execution = await ended(platform, await submit(platform, letters))
    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.output == {"do": "", "letters": ["a", "b"]}
    assert (execution.error, execution.next_nodes, execution.interrupts) == (None, [], [])
    assert execution.duration_ms is not None
    assert execution.started_at is not None
    assert execution.finished_at is not None
    assert execution.created_at <= execution.started_at <= execution.finished_at
    [head] = await select(
        platform.database,
        "SELECT max(checkpoint_id) AS id FROM checkpoints WHERE thread_id = :thread",
        thread=str(execution.thread_id),
    )
    assert execution.checkpoint_id == head["id"]


@pytest.mark.usefixtures("runner")
async def test_its_history_is_gapless(platform: Platform, letters: Workflow) -> None:
    execution = await ended(platform, await submit(platform, letters))
    assert await history(platform.database, execution.id) == [
        (1, "ExecutionCreated"),
        (2, "ExecutionStarted"),
        (3, "ExecutionCompleted"),
    ]
    assert execution.version == 3


@pytest.mark.usefixtures("runner")
async def test_what_a_node_raises_fails_its_run_and_names_the_node(
    platform: Platform, letters: Workflow
) -> None:
    execution = await ended(platform, await submit(platform, letters, "fail"))
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {"type": "ValueError", "message": "told to fail", "node": "second"}
    assert execution.checkpoint_id is not None


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(
    ("do", "problem"), [("nan", "nan is not a JSON number"), ("nul", "the text holds a NUL byte")]
)
async def test_output_that_cannot_be_stored_fails_its_run_and_says_where_it_is(
    platform: Platform, letters: Workflow, do: str, problem: str
) -> None:
    execution = await ended(platform, await submit(platform, letters, do))
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["type"] == "NotStorable"
    assert execution.error["message"] == f"letters[1]: {problem}"


@pytest.mark.usefixtures("runner")
async def test_an_interrupt_pauses_and_shows_what_it_asks(
    platform: Platform, letters: Workflow
) -> None:
    execution = await ended(platform, await submit(platform, letters, "ask"))
    assert execution.status is ExecutionStatus.PAUSED
    assert execution.pause_reason == "interrupt"
    assert execution.next_nodes == ["second"]
    [question] = execution.interrupts
    assert question["value"] == "which letter?"
    assert question["id"]
    assert execution.finished_at is None


@pytest.mark.usefixtures("runner")
async def test_a_run_that_takes_too_long_fails_with_a_timeout(
    platform: Platform, letters: Workflow
) -> None:
    limits = Limits(timeout_seconds=0.2)
    execution = await ended(platform, await submit(platform, letters, "wait", limits=limits))
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error == {
        "type": "TimeoutError",
        "message": "the run took longer than its limit of 0.2 s",
        "node": None,
    }


@pytest.mark.usefixtures("runner")
async def test_too_many_steps_fail_with_the_error_of_langgraph(
    platform: Platform, letters: Workflow
) -> None:
    limits = Limits(recursion_limit=1)
    execution = await ended(platform, await submit(platform, letters, limits=limits))
    assert execution.error is not None
    assert execution.error["type"] == "GraphRecursionError"


@pytest.mark.usefixtures("runner")
async def test_a_variant_takes_the_place_of_its_node(platform: Platform, letters: Workflow) -> None:
    loud = await ended(platform, await submit(platform, letters, choice={"second": "loud"}))
    base = await ended(platform, await submit(platform, letters, choice={"second": "base"}))
    assert loud.output == {"do": "", "letters": ["a", "B!"]}
    assert base.output == {"do": "", "letters": ["a", "b"]}


@pytest.mark.usefixtures("runner")
async def test_a_graph_that_does_not_load_fails_its_runs_only(
    platform: Platform, letters: Workflow
) -> None:
    async with platform.database.unit_of_work() as uow:
        broken = await uow.workflows.get(letters.id, for_update=True)
        broken.graph = "./letters.py:missing"
        broken.version += 1
        await uow.commit()
    execution = await ended(platform, await submit(platform, letters))
    assert execution.error is not None
    assert execution.error["type"] == "InvalidInput"
    assert "missing" in str(execution.error["message"])


async def test_a_running_run_can_be_stopped(
    platform: Platform, letters: Workflow, runner: LivingRunner
) -> None:
    execution_id = await submit(platform, letters, "wait")
    await when(platform, execution_id, ExecutionStatus.RUNNING)
    runner.loop.stop_run(await run_of(platform, execution_id))
    execution = await ended(platform, execution_id)
    assert execution.status is ExecutionStatus.CANCELLED
    assert await history(platform.database, execution_id) == [
        (1, "ExecutionCreated"),
        (2, "ExecutionStarted"),
        (3, "ExecutionCancelled"),
    ]


async def test_a_run_that_waits_for_a_slot_can_be_stopped(
    platform: Platform, letters: Workflow, runner: LivingRunner, settings: Settings
) -> None:
    busy = [await submit(platform, letters, "wait") for _ in range(settings.runner.slots)]
    waiting = await submit(platform, letters)
    await when(platform, waiting, ExecutionStatus.RUNNING)
    runner.loop.stop_run(await run_of(platform, waiting))
    runner.loop.stop_run(await run_of(platform, busy[0]))
    assert (await ended(platform, waiting)).status is ExecutionStatus.CANCELLED
    [found] = await select(
        platform.database,
        "SELECT count(*) FROM checkpoints WHERE thread_id = :thread",
        thread=str((await ended(platform, waiting)).thread_id),
    )
    assert found["count"] == 0, "it was never begun"


@pytest.mark.usefixtures("runner")
async def test_many_runs_of_all_kinds_end_each_in_its_own_way(
    platform: Platform, letters: Workflow
) -> None:
    kinds = {"": "completed", "fail": "failed", "ask": "paused", "nan": "failed"}
    ids = [(do, await submit(platform, letters, do)) for do in list(kinds) * 8]
    for do, execution_id in ids:
        assert (await ended(platform, execution_id)).status.value == kinds[do]


async def test_runs_outlive_a_database_that_goes_away_for_a_moment(
    settings: Settings, platform: Platform, letters: Workflow
) -> None:
    async with cuttable_line(settings.database_url.get_secret_value()) as line:
        through = settings.model_copy(update={"database_url": SecretStr(line.url)})
        async with living_runner(through) as runner:
            ids = [await submit(platform, letters) for _ in range(20)]
            await when(platform, ids[0], ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED)
            await line.cut()
            await asyncio.sleep(0.3)
            assert not runner.task.done()
            await line.mend()
            for execution_id in ids:
                execution = await ended(platform, execution_id)
                assert execution.status is ExecutionStatus.COMPLETED, execution.error
                assert execution.output == {"do": "", "letters": ["a", "b"]}
                numbers = [number for number, _ in await history(platform.database, execution_id)]
                assert numbers == [1, 2, 3]


async def test_runs_whose_claim_was_committed_unheard_are_executed(
    settings: Settings, platform: Platform, letters: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is cut between the commit of a claim and its answer."""
    claim = PostgresRunRepository.claim_pending
    cuts = [True]

    async def claim_unheard(self: PostgresRunRepository, *arguments: Any) -> Any:  # noqa: ANN401
        runs = await claim(self, *arguments)
        if runs and cuts:
            cuts.clear()
            raise TransientError("cut")
        return runs

    ids = [await submit(platform, letters) for _ in range(5)]
    monkeypatch.setattr(PostgresRunRepository, "claim_pending", claim_unheard)
    async with living_runner(settings):
        for execution_id in ids:
            execution = await ended(platform, execution_id)
            assert execution.status is ExecutionStatus.COMPLETED
            assert execution.attempt == 1


async def run_of(platform: Platform, execution_id: UUID) -> UUID:
    [row] = await select(
        platform.database, "SELECT run_id FROM wtb_executions WHERE id = :id", id=execution_id
    )
    found: UUID = row["run_id"]
    return found


async def test_a_runner_ends_when_it_is_woken_at_the_same_moment(settings: Settings) -> None:
    async with living_runner(settings) as runner:
        for moments in range(4):
            await asyncio.sleep(0.02)
            runner.wake()
            for _ in range(moments):
                await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await runner.die()
            runner.live()
