"""Runs wait while nobody can load what they execute."""

from arranging import accept, new_workflow, select

from wtb_async.application.runs.park_runs import PARKED, park_runs
from wtb_async.application.runs.repositories import RunChoice
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

LOUD = {"second": "loud"}


async def pools(database: Database) -> dict[str, str]:
    """The pool of every run, by the choice of its execution."""
    rows = await select(
        database,
        "SELECT execution.variants ->> 'second' AS variant, run.pool FROM wtb_runs AS run"
        " JOIN wtb_executions AS execution ON execution.run_id = run.id",
    )
    return {row["variant"] or "base": row["pool"] for row in rows}


def plain_only(workflow: Workflow, choice: RunChoice) -> bool:
    assert workflow.name == "letters"
    return choice.variants != LOUD


async def test_only_runs_whose_code_is_missing_wait_and_they_come_back(database: Database) -> None:
    workflow = new_workflow()
    async with database.unit_of_work() as uow:
        uow.workflows.add(workflow)
        await uow.commit()
    for choice in ({}, LOUD):
        await accept(database.unit_of_work, workflow, choice=choice)
    assert await park_runs(database.unit_of_work, plain_only) == {"letters"}
    assert await pools(database) == {"base": DEFAULT_POOL, "loud": PARKED}
    assert await park_runs(database.unit_of_work, lambda *_: True) == set()
    assert await pools(database) == {"base": DEFAULT_POOL, "loud": DEFAULT_POOL}


async def test_a_run_that_executions_share_waits_for_the_code_of_all(database: Database) -> None:
    workflow = new_workflow()
    async with database.unit_of_work() as uow:
        uow.workflows.add(workflow)
        await uow.commit()
    for choice in ({}, LOUD):
        await accept(database.unit_of_work, workflow, choice=choice)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE wtb_executions SET run_id = (SELECT run_id FROM wtb_executions LIMIT 1)"
        )
    await park_runs(database.unit_of_work, plain_only)
    assert set((await pools(database)).values()) == {PARKED}
