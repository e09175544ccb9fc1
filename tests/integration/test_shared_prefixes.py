"""On random graphs, executions that share their prefixes end as they would from scratch."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matrices import ALL_VARIANTS, Story, choices_of, matrices, root_nodes
from random_graphs import EVERY_KIND, every_plan

from wtb_async.domain.execution import Limits

on_real_postgres = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, 2**16)


def matrix_of(plan: Sequence[str], seed: int) -> dict[str, list[str]]:
    """Up to three nodes of the graph, each with two or three variants."""
    random = Random(seed)  # noqa: S311 - Hypothesis chooses the seed
    nodes = root_nodes(plan)
    chosen = random.sample(nodes, min(len(nodes), 3))
    return {node: random.sample(ALL_VARIANTS, random.choice([2, 2, 3])) for node in chosen}


@on_real_postgres
@given(plan=every_plan, seed=seeds)
@example(plan=list(EVERY_KIND), seed=1)
def test_shared_prefixes_change_nothing_but_how_often_nodes_are_executed(
    database_url: str, plan: list[str], seed: int
) -> None:
    asyncio.run(_share(database_url, plan, seed))


async def _share(url: str, plan: Sequence[str], seed: int) -> None:
    choices = choices_of(matrix_of(plan, seed))
    async with matrices(url, plan) as matrix:
        alone = await matrix.run(choices, share=False)
        shared = await matrix.run(choices, share=True)
        for one, other in zip(
            await matrix.stories(shared), await matrix.stories(alone), strict=True
        ):
            assert one == other
        assert await matrix.visits(shared) <= await matrix.visits(alone)


@on_real_postgres
@given(plan=every_plan, seed=seeds)
def test_runners_that_are_lost_at_any_moment_change_nothing(
    database_url: str, plan: list[str], seed: int
) -> None:
    asyncio.run(_lose_runners(database_url, plan, seed))


async def _lose_runners(url: str, plan: Sequence[str], seed: int) -> None:
    choices, random = choices_of(matrix_of(plan, seed)), Random(seed)  # noqa: S311 - as above

    def now_and_then() -> str | None:
        return random.choice(["before", "within", "after", None, None, None])

    async with matrices(url, plan, limits=Limits(max_attempts=50)) as matrix:
        alone = await matrix.run(choices, share=False)
        matrix.loses = now_and_then
        shared = await matrix.run(choices, share=True)
        assert [kept_of(story) for story in await matrix.stories(shared)] == [
            kept_of(story) for story in await matrix.stories(alone)
        ]


def kept_of(story: Story) -> Story:
    """The story without what a lost runner had begun, which is begun again."""
    completed = {visit: n for visit, n in story.boundaries.items() if visit[1] == "completed"}
    return replace(story, boundaries=Counter(completed))
