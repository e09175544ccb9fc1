"""Whoever changes many executions locks them in the order of their ids: nobody waits in a ring.

A test holds the first of them, and looks whether the others are still free meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

import pytest
from arranging import change, completed, eventually, select, waiting
from controlled_batches import ControlledBatch
from scored_batches import RIGHT, begin, failed

from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.batch_test import ScoringMode
from wtb_async.domain.evaluator import EvaluatorChoice, EvaluatorKind

LONGER = EvaluatorChoice(use="graded:longer", kind=EvaluatorKind.PAIRWISE)


async def waits_for_the_first_alone(
    platform: Platform, executions: Collection[UUID], act: Callable[[], Awaitable[None]]
) -> bool:
    """Whether `act`, while it waits for the first of the executions, has locked no other one."""
    database = platform.database
    first, *others = sorted(executions)
    # Now the table has the first one last, for those who lock as they read.
    await change(
        database,
        "UPDATE wtb_executions SET created_at = clock_timestamp() WHERE id = :id",
        id=first,
    )
    async with database.unit_of_work() as uow:
        await uow.executions.lock(first)
        acting = asyncio.ensure_future(act())
        await eventually(lambda: waiting(database))
        free = await select(
            database,
            "SELECT id FROM wtb_executions WHERE id = ANY (:ids) FOR UPDATE SKIP LOCKED",
            ids=others,
        )
    await acting
    return {row["id"] for row in free} == set(others)


@pytest.mark.parametrize("mode", [ScoringMode.REPLACE, ScoringMode.RETRY])
async def test_executions_that_are_scored_again_are_locked_in_order(
    platform: Platform, mode: ScoringMode
) -> None:
    batch = await begin(platform, 2, ["graded:broken"])
    await batch.end_all()
    assert await batch.score() == 2
    evaluators = ["wtb.latency"] if mode is ScoringMode.REPLACE else []
    assert await waits_for_the_first_alone(
        platform,
        [run.execution_id for run in batch.runs],
        lambda: batch.score_with(*evaluators, mode=mode),
    )


async def test_executions_that_lose_their_baselines_are_locked_in_order(
    platform: Platform,
) -> None:
    batch = await begin(platform, 6, [LONGER], ["base", "loud"])
    loud = [run for run in batch.runs if run.variants == {"second": "loud"}]
    others = [run for run in batch.runs if run not in loud]
    await batch.end(*(completed(run.id, RIGHT) for run in loud), *(failed(run) for run in others))
    assert await waits_for_the_first_alone(
        platform,
        [run.execution_id for run in loud],
        ControlledBatch(platform, batch.id).retry_failed,
    )
