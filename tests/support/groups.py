"""Executions of one input that differ in their variants only."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from arranging import select

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.plan import (
    ExecutionPlan,
    PlannedInput,
    plan_product,
    share_prefixes,
)
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, Limits
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

Choice = dict[str, str]


async def accept_group(
    database: Database,
    workflow: Workflow,
    choices: Sequence[Choice],
    input_: JsonObject,
    *,
    limits: Limits | None = None,
    breakpoints: Breakpoints = NO_BREAKPOINTS,
    share: bool = True,
) -> list[UUID]:
    """Accept an execution of each choice; answers their ids."""
    plan = ExecutionPlan(
        workflow_id=workflow.id,
        inputs=[PlannedInput(input=input_)],
        choices=[GraphChoice(choice) for choice in choices],
        executions=plan_product((1, len(choices), 1)),
        limits=limits or Limits(),
        caller="test",
        created_at=utc_now(),
        metadata={},
        breakpoints=breakpoints,
    )
    async with database.unit_of_work() as uow:
        uow.executions.add(share_prefixes(plan) if share else plan)
        await uow.commit()
    return [planned.execution_id for planned in plan.executions]


async def runs_of(database: Database) -> list[dict[str, Any]]:
    """Every run, in the order of their creation, with how many executions it serves."""
    return await select(
        database,
        """SELECT run.status, run.variants, run.gates, run.attempt, run.spent_ms, run.thread_id,
                  (SELECT count(*) FROM wtb_executions WHERE run_id = run.id) AS serves
           FROM wtb_runs AS run ORDER BY run.id""",
    )
