"""A thread written by WTB is LangGraph's own: its stock saver reads it, goes on, goes back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from arranging import settings_for
from executing import ended, submit
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.types import StateSnapshot
from living_runner import living_runner
from random_graphs import KINDS, State, answers_to, compile_plan, run_to_end
from savers import on, stock_saver
from thread_rows import Renaming, rows_of_thread

from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.ids import new_id
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.embedded import EmbeddedServices
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.settings import Settings

PLANS = {"calm": ["plain", "parallel", "send", "loop"], "asking": list(KINDS)}
INPUT: State = {"log": [], "item": "x", "changes": ["input"]}
"""The keys are in the order in which jsonb keeps them; LangGraph writes channels in that order."""


@pytest.fixture
def settings(database_url: str, services: EmbeddedServices, tmp_path: Path) -> Settings:
    """A project with a graph for each plan."""
    folder = tmp_path / "shapes"
    folder.mkdir()
    (folder / "shapes.py").write_text(
        "from random_graphs import build_plan\n"
        + "".join(f"def {name}(): return build_plan({plan})\n" for name, plan in PLANS.items())
    )
    project = folder / "langgraph.json"
    project.write_text('{"dependencies": ["."], "graphs": {"shapes": "./shapes.py:calm"}}')
    return settings_for(database_url, services.redis_url, project)


@pytest.fixture
async def execution(platform: Platform, settings: Settings, plan: str) -> ExecutionView:
    """What became of one that WTB ran until its end or its first question."""
    async with living_runner(settings):
        made = await submit(platform, f"shapes:{plan}", {**INPUT})
        return await ended(platform, made)


@pytest.fixture
async def saver(database_url: str) -> AsyncIterator[AsyncPostgresSaver]:
    async with stock_saver(database_url) as stock:
        yield stock


async def timeline(graph: Compiled, thread: str) -> list[StateSnapshot]:
    return [state async for state in graph.aget_state_history(on(thread))]


def shown(states: list[StateSnapshot]) -> str:
    """What can be seen of a timeline, without ids and times."""
    return Renaming()([state._replace(created_at=None) for state in states])


@pytest.mark.parametrize("plan", PLANS)
async def test_a_thread_of_wtb_holds_what_plain_langgraph_would_have_written(
    execution: ExecutionView, database: Database, saver: AsyncPostgresSaver, plan: str
) -> None:
    graph, thread, plain = compile_plan(PLANS[plan], saver), str(execution.thread_id), str(new_id())
    result = await graph.ainvoke(INPUT, on(plain), durability="sync", version="v2")
    assert execution.output == (None if result.interrupts else result.value)
    assert [asked["value"] for asked in execution.interrupts] == [
        i.value for i in result.interrupts
    ]
    assert shown(await timeline(graph, thread)).replace(thread, plain) == shown(
        await timeline(graph, plain)
    )
    assert await rows_of_thread(database, thread) == await rows_of_thread(database, plain)


@pytest.mark.parametrize("plan", ["asking"])
async def test_plain_langgraph_answers_the_question_at_which_wtb_stopped(
    execution: ExecutionView, database: Database, saver: AsyncPostgresSaver, plan: str
) -> None:
    assert execution.status is ExecutionStatus.PAUSED
    graph, thread, plain = compile_plan(PLANS[plan], saver), str(execution.thread_id), str(new_id())
    asked = (await graph.aget_state(on(thread))).interrupts
    assert [(each.id, each.value) for each in asked] == [
        (each["id"], each["value"]) for each in execution.interrupts
    ]
    expected = await run_to_end(graph, INPUT, plain)
    assert await run_to_end(graph, answers_to(asked), thread) == expected
    assert await rows_of_thread(database, thread) == await rows_of_thread(database, plain)


@pytest.mark.parametrize("plan", PLANS)
async def test_plain_langgraph_goes_back_to_every_checkpoint_that_wtb_wrote(
    execution: ExecutionView, saver: AsyncPostgresSaver, plan: str
) -> None:
    graph, thread = compile_plan(PLANS[plan], saver), str(execution.thread_id)
    expected = await run_to_end(graph, INPUT, str(new_id()))
    written = await timeline(graph, thread)
    assert len(written) > len(PLANS["calm"])
    for past in written:
        assert await replayed(graph, past) == expected
        head = await graph.aget_state(on(thread))
        assert (head.values, head.next) == (expected, ())
    assert [s for s in await timeline(graph, thread) if s in written] == written


async def replayed(graph: Compiled, past: StateSnapshot) -> dict[str, Any]:
    """Run again from a checkpoint of the past to the end."""
    result = await graph.ainvoke(None, past.config, durability="sync", version="v2")
    thread = past.config["configurable"]["thread_id"]
    if not result.interrupts:
        return dict(result.value)
    return await run_to_end(graph, answers_to(result.interrupts), thread)
