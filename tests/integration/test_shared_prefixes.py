"""On random graphs, executions that share their prefixes end as they would from scratch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from groups import Choice
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matrices import ALL_VARIANTS, Matrix, Story, choices_of, matrices, root_nodes
from random_graphs import EVERY_KIND, every_plan

from wtb_async.domain.execution import Breakpoints, Limits

on_real_postgres = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, 2**16)

Proof = Callable[[Matrix, list[Choice]], Awaitable[None]]


def prove(url: str, plan: Sequence[str], seed: int, proof: Proof, **matrix: Any) -> None:  # noqa: ANN401
    async def run() -> None:
        async with matrices(url, plan, **matrix) as ready:
            await proof(ready, choices_of(matrix_of(plan, seed)))

    asyncio.run(run())


def matrix_of(plan: Sequence[str], seed: int) -> dict[str, list[str]]:
    """Two nodes of the graph, if it has so many, with two or three variants."""
    random, nodes = random_of(seed), root_nodes(plan)
    chosen = random.sample(nodes, min(len(nodes), 2))
    return {node: random.sample(ALL_VARIANTS, random.choice([2, 3])) for node in chosen}


def random_of(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - Hypothesis chooses the seed


@on_real_postgres
@given(plan=every_plan, seed=seeds)
@example(plan=list(EVERY_KIND), seed=1)
def test_shared_prefixes_change_nothing_but_how_often_nodes_are_executed(
    database_url: str, plan: list[str], seed: int
) -> None:
    prove(database_url, plan, seed, _end_alike)


@on_real_postgres
@given(plan=every_plan, seed=seeds)
def test_breakpoints_hold_for_executions_that_share_their_prefixes(
    database_url: str, plan: list[str], seed: int
) -> None:
    before, after = (random_of(seed + side).sample(root_nodes(plan), 1) for side in (1, 2))
    at = Breakpoints(tuple(before), tuple(after))
    prove(database_url, plan, seed, _end_alike, breakpoints=at)


async def _end_alike(matrix: Matrix, choices: list[Choice]) -> None:
    alone = await matrix.run(choices, share=False)
    shared = await matrix.run(choices, share=True)
    assert await matrix.stories(shared) == await matrix.stories(alone)
    assert await matrix.visits(shared) <= await matrix.visits(alone)


@on_real_postgres
@given(plan=every_plan, seed=seeds, limit=st.integers(1, 12))
def test_the_recursion_limit_is_reached_where_it_would_be_from_scratch(
    database_url: str, plan: list[str], seed: int, limit: int
) -> None:
    limits = Limits(recursion_limit=limit)
    prove(database_url, plan, seed, _fail_alike, limits=limits)


async def _fail_alike(matrix: Matrix, choices: list[Choice]) -> None:
    alone = await matrix.run(choices, share=False)
    shared = await matrix.run(choices, share=True)
    assert [_end_of(story) for story in await matrix.stories(shared)] == [
        _end_of(story) for story in await matrix.stories(alone)
    ]


def _end_of(story: Story) -> tuple[object, ...]:
    return story.status, story.output, story.error


@on_real_postgres
@given(plan=every_plan, seed=seeds)
def test_runners_that_are_lost_at_any_moment_change_nothing(
    database_url: str, plan: list[str], seed: int
) -> None:
    prove(database_url, plan, seed, _lose_runners, limits=Limits(max_attempts=50))


async def _lose_runners(matrix: Matrix, choices: list[Choice]) -> None:
    random = random_of(len(choices))
    alone = await matrix.run(choices, share=False)
    matrix.loses = lambda: random.choice(["before", "within", "after", None, None, None])
    shared = await matrix.run(choices, share=True)
    assert [_kept_of(story) for story in await matrix.stories(shared)] == [
        _kept_of(story) for story in await matrix.stories(alone)
    ]


def _kept_of(story: Story) -> tuple[object, ...]:
    """The story without what lost runners had begun, which is begun again."""
    nodes = {node for node, status in story.boundaries if status == "completed"}
    return _end_of(story), story.questions, story.history, nodes
