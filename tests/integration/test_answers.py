"""Answers that a command writes by itself have the effect that LangGraph's `Command` has."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any
from uuid import UUID

from forking import INPUT, begin_thread, fork
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.serde.types import INTERRUPT, RESUME
from langgraph.types import Command, GraphOutput
from passages import Travel, travels
from random_graphs import compile_plan
from savers import on, stock_saver
from thread_rows import rows_of_thread

from wtb_async.domain.run import RunStatus
from wtb_async.infrastructure.langgraph.node_replacement import Compiled

ASKING = ("ask", "ask_both", "ask_twice", "ask_each", "subgraph", "nested", "plain")
asking_plans = st.lists(st.sampled_from(ASKING), min_size=1, max_size=3)


class Turns:
    """Which of the open questions are answered at once, and what comes along; by a seed."""

    def __init__(self, seed: int, *, with_values: bool) -> None:
        self._random = Random(seed)  # noqa: S311 - of a test
        self._with_values = with_values
        self._count = 0

    def next(self, questions: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
        """Questions to answer, in any order, and values for the state."""
        self._count += 1
        chosen = self._random.sample(sorted(questions), self._random.randint(1, len(questions)))
        values = self._with_values and self._random.random() < 0.7
        line = [f"edit {self._count}"]
        return chosen, {"log": line, "changes": line} if values else {}


async def stock_end(graph: Compiled, thread: UUID, turns: Turns) -> dict[str, Any]:
    """Go on to the end with LangGraph's own commands."""
    config = on(str(thread))
    open_now = (await graph.aget_state(config)).interrupts
    while True:
        ids = {str(asked.value): asked.id for asked in open_now}
        chosen, values = turns.next(list(ids))
        command: Command[Any] = Command(
            resume={ids[question]: f"re {question}" for question in chosen}, update=values or None
        )
        result: GraphOutput[Any] = await graph.ainvoke(
            command, config, durability="sync", version="v2"
        )
        if not result.interrupts:
            return dict(result.value)
        open_now = (await graph.aget_state(config)).interrupts


async def our_end(travel: Travel, thread: UUID, turns: Turns) -> object:
    """Go on to the end as resumed executions do."""
    outcome = await travel.run(thread, resumes=True)
    while outcome.status is not RunStatus.COMPLETED:
        ids = {asked["value"]: asked["id"] for asked in outcome.interrupts}
        chosen, values = turns.next(list(ids))
        answers = {ids[question]: f"re {question}" for question in chosen}
        await travel.answer(thread, outcome, answers, values)
        outcome = await travel.go_on(thread)
    return outcome.output


async def rows_of_results(travel: Travel, thread: UUID) -> list[str]:
    """All rows but those of questions and answers.

    Questions asked side by side stand in any order, and of several answers to one task LangGraph
    keeps some, we keep all; once the task is done nobody reads them again.
    """
    rows = await rows_of_thread(travel.database, str(thread))
    return [row for row in rows if RESUME not in row and INTERRUPT not in row]


async def _compare(url: str, plan: Sequence[str], seed: int, *, with_values: bool) -> None:
    async with travels(url, plan) as travel, stock_saver(url) as saver:
        stock = compile_plan(plan, saver)
        source = await begin_thread(travel.database)
        asked = await stock.ainvoke(INPUT, on(str(source)), durability="sync", version="v2")
        if not asked.interrupts:
            return
        theirs, ours = await fork(travel.database, source, count=2)
        expected = await stock_end(stock, theirs, Turns(seed, with_values=with_values))
        assert await our_end(travel, ours, Turns(seed, with_values=with_values)) == expected
        assert (await stock.aget_state(on(str(ours)))).values == expected
        assert await rows_of_results(travel, ours) == await rows_of_results(travel, theirs)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=asking_plans, seed=st.integers(0, 1 << 16), with_values=st.booleans())
@example(plan=["ask_each", "nested"], seed=1, with_values=True)
@example(plan=["ask_twice"], seed=0, with_values=True)
def test_questions_answered_in_any_order_and_number_end_as_with_langgraph_s_own_command(
    database_url: str, plan: list[str], seed: int, *, with_values: bool
) -> None:
    asyncio.run(_compare(database_url, plan, seed, with_values=with_values))
