"""Claiming: every run once, in order, whoever else is claiming."""

import asyncio
from collections import Counter
from dataclasses import asdict, fields
from uuid import UUID

from arranging import (
    accept,
    change,
    claim,
    completed,
    history,
    register,
    register_runner,
    select,
    settle,
)

from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.events import ExecutionStarted
from wtb_async.domain.execution import Limits
from wtb_async.infrastructure.postgres.database import Database

RUNS = 500
CLAIMERS = 8


async def claim_all(database: Database, name: str) -> list[ClaimedRun]:
    runner = await register_runner(database.unit_of_work, name)
    claimed: list[ClaimedRun] = []
    while chunk := await claim(database.unit_of_work, runner, limit=7):
        claimed += chunk
    return claimed


async def test_eight_claimers_get_every_run_once_and_each_in_order(database: Database) -> None:
    plan = await accept(database.unit_of_work, await register(database.unit_of_work), RUNS)
    position = {planned.run_id: at for at, planned in enumerate(plan.executions)}
    shares = await asyncio.gather(
        *(claim_all(database, f"runner-{number}") for number in range(CLAIMERS))
    )
    orders = [[position[run.id] for run in share] for share in shares]
    assert sorted(at for order in orders for at in order) == list(range(RUNS))
    assert all(order == sorted(order) for order in orders)
    rows = await select(
        database, "SELECT status, version, count(*) AS n FROM wtb_executions GROUP BY 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [("running", 2, RUNS)]


async def test_rows_that_another_claimer_holds_are_passed_over(database: Database) -> None:
    plan = await accept(database.unit_of_work, await register(database.unit_of_work), 6)
    one, two = [await register_runner(database.unit_of_work, name) for name in "ab"]
    async with database.unit_of_work() as uow:
        held = await uow.runs.claim_pending(one, "default", 3)
        others = await claim(database.unit_of_work, two)
        await uow.commit()
    claimed = [run.id for run in [*held, *others]]
    assert claimed == [planned.run_id for planned in plan.executions]


async def test_a_claim_that_is_not_committed_gives_its_runs_back(database: Database) -> None:
    await accept(database.unit_of_work, await register(database.unit_of_work), 3)
    runner = await register_runner(database.unit_of_work)
    async with database.unit_of_work() as uow:
        assert len(await uow.runs.claim_pending(runner, "default", 3)) == 3
    assert len(await claim(database.unit_of_work, runner)) == 3


async def test_a_claim_that_is_committed_by_itself_stands(database: Database) -> None:
    await accept(database.unit_of_work, await register(database.unit_of_work), 3)
    runner = await register_runner(database.unit_of_work)
    async with database.unit_of_work() as uow:
        await uow.commit_each_statement()
        claimed = await uow.runs.claim_pending(runner, "default", 3)
    assert await claim(database.unit_of_work, runner) == []
    async with database.unit_of_work() as uow:
        held = await uow.runs.held_by(runner, [claimed[0].id])
    assert [run.id for run in held] == [run.id for run in claimed[1:]]


async def test_each_start_has_one_event_and_one_audit_entry(database: Database) -> None:
    plan = await accept(database.unit_of_work, await register(database.unit_of_work), 3)
    runner = await register_runner(database.unit_of_work)
    await claim(database.unit_of_work, runner)
    for planned in plan.executions:
        assert await history(database, planned.execution_id) == [
            (1, "ExecutionCreated"),
            (2, "ExecutionStarted"),
        ]
        entries = await audit(database, planned.execution_id)
        assert entries[1:] == [(f"runner:{runner}", "ExecutionStarted", "pending", "running")]


async def test_the_start_event_has_the_shape_of_its_class(database: Database) -> None:
    plan = await accept(database.unit_of_work, await register(database.unit_of_work))
    await claim(database.unit_of_work, await register_runner(database.unit_of_work))
    [row] = await select(database, "SELECT data FROM wtb_outbox WHERE type = 'ExecutionStarted'")
    expected = ExecutionStarted(run_id=plan.executions[0].run_id, attempt=1)
    assert row["data"] == expected.data()


async def test_a_claim_carries_all_that_its_run_needs(database: Database) -> None:
    workflow = await register(database.unit_of_work)
    plan = await accept(
        database.unit_of_work,
        workflow,
        input_={"do": "naïve"},
        choice={"second": "loud"},
        limits=Limits(timeout_seconds=1.5),
    )
    runner = await register_runner(database.unit_of_work)
    [claimed] = await claim(database.unit_of_work, runner)
    planned = plan.executions[0]
    assert asdict(claimed) == asdict(
        ClaimedRun(
            id=planned.run_id,
            execution_id=planned.execution_id,
            execution_version=2,
            thread_id=planned.thread_id,
            timeline_id=planned.thread_id,
            workflow_id=workflow.id,
            workflow_version=1,
            variants={"second": "loud"},
            workflow_variant=None,
            attempt=1,
            limits=Limits(timeout_seconds=1.5),
            input={"do": "naïve"},
            batch_test_id=None,
            resumes=False,
        )
    )
    assert len(fields(claimed)) == len(asdict(claimed))


async def test_runs_of_another_pool_are_left_alone(database: Database) -> None:
    await accept(database.unit_of_work, await register(database.unit_of_work))
    runner = await register_runner(database.unit_of_work)
    async with database.unit_of_work() as uow:
        assert await uow.runs.claim_pending(runner, "gpu", 10) == []
        assert await uow.runs.pending_count("gpu") == 0
        assert await uow.runs.pending_count("default") == 1


async def test_a_runner_that_was_declared_lost_claims_nothing(database: Database) -> None:
    """Nobody would take over what it claims: its lease ended before the claim began."""
    await accept(database.unit_of_work, await register(database.unit_of_work))
    zombie = await register_runner(database.unit_of_work)
    await change(database, "UPDATE wtb_runners SET status = 'lost'")
    assert await claim(database.unit_of_work, zombie) == []
    assert len(await claim(database.unit_of_work, await register_runner(database.unit_of_work)))


async def test_the_events_of_a_whole_life_are_gapless(database: Database) -> None:
    plan = await accept(database.unit_of_work, await register(database.unit_of_work), 20)
    runner = await register_runner(database.unit_of_work)
    while chunk := await claim(database.unit_of_work, runner, limit=6):
        await settle(database.unit_of_work, runner, *(completed(run.id) for run in chunk))
    lives = [await history(database, planned.execution_id) for planned in plan.executions]
    expected = [(1, "ExecutionCreated"), (2, "ExecutionStarted"), (3, "ExecutionCompleted")]
    assert Counter(tuple(life) for life in lives) == {tuple(expected): 20}
    versions = await select(database, "SELECT DISTINCT version FROM wtb_executions")
    assert [row["version"] for row in versions] == [3]


async def audit(database: Database, aggregate_id: UUID) -> list[tuple[str, str, str, str]]:
    rows = await select(
        database,
        "SELECT actor, action, status_before, status_after FROM wtb_audit_log"
        " WHERE aggregate_id = :id ORDER BY id",
        id=aggregate_id,
    )
    return [
        (row["actor"], row["action"], row["status_before"], row["status_after"]) for row in rows
    ]
