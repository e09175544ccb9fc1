"""What the tests of this folder arrange: settings, workflows, accepted executions, claimed runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.plan import ExecutionPlan, PlannedInput, plan_product
from wtb_async.application.ids import new_id
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.domain.events import Aggregate, Change, ExecutionCreated
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, Limits
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import Runner, RunStatus
from wtb_async.domain.workflow import NodeVariant, Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.settings import RelaySettings, RunnerSettings, Settings

PROJECTS = Path(__file__).parents[1] / "projects"
API_KEY = "key-of-the-tests"
PATIENCE_SECONDS = 15.0
"""How long a test waits for something that must happen; only a broken test waits that long."""

Answer = TypeVar("Answer")

_NODES = {"stations": ["a", "b", "c", "d"]}
"""The nodes of the projects that commands name nodes of."""

_VARIANTS = {
    "graded": [("second", "loud")],
    "letters": [("second", "loud")],
    "rooms": [("left", "loud")],
    "stations": [("c", "loud"), ("c", "soft")],
}
"""Nodes, and the names of their variants."""

_STATE_KEYS = {"letters": ["do", "letters"], "stations": ["folder", "note", "seen", "tasks"]}
"""The keys of the states that commands edit."""


def settings_for(database_url: str, redis_url: str | None, *projects: Path) -> Settings:
    """Settings with times short enough for tests."""
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "api_key": API_KEY,
            "projects": projects or tuple(sorted(PROJECTS.glob("*/langgraph.json"))),
            "relay": RelaySettings(backoff_seconds=0.01),
            "runner": RunnerSettings(
                slots=8, prefetch=8, claim_at_least=1, safety_poll_seconds=0.05
            ),
        }
    )


async def eventually(
    read: Callable[[], Awaitable[Answer]],
    *,
    pause: float = 0.02,
    patience: float = PATIENCE_SECONDS,
) -> Answer:
    """The first answer of `read` that is true; times in seconds."""
    deadline = time.monotonic() + patience
    while not (answer := await read()):
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(pause)
    return answer


async def select(database: Database, query: str, **parameters: object) -> list[dict[str, Any]]:
    """Read committed rows over a connection of its own."""
    async with database.engine.connect() as connection:
        rows = (await connection.execute(text(query), parameters)).mappings()
        return [dict(row) for row in rows]


async def waiting(database: Database) -> int:
    """How many transactions wait for locks that others hold."""
    [row] = await select(
        database,
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()",
    )
    return int(row["count"])


async def change(database: Database, statement: str, **parameters: object) -> None:
    """Change rows behind the platform's back, as time or a fault would."""
    async with database.engine.begin() as connection:
        await connection.execute(text(statement), parameters)


def new_workflow(name: str = "letters", *, project: str | None = None) -> Workflow:
    """A workflow of one of the test projects, as registering it would make it."""
    now, project = utc_now(), project or name
    workflow = Workflow(
        id=new_id(),
        name=name,
        project=project,
        graph=f"./{project}.py:build",
        topology={
            "nodes": _NODES.get(project, ["first", "second"]),
            "edges": [],
            "state_keys": _STATE_KEYS.get(project, []),
        },
        created_by="test",
        created_at=now,
        updated_at=now,
    )
    workflow.node_variants += [
        _variant(workflow, node, name) for node, name in _VARIANTS.get(project, ())
    ]
    return workflow


def _variant(workflow: Workflow, node: str, name: str) -> NodeVariant:
    return NodeVariant(
        id=new_id(),
        workflow_id=workflow.id,
        node=node,
        name=name,
        implementation=f"./{workflow.project}.py:{name}",
        created_by="test",
        created_at=workflow.created_at,
    )


async def register(
    uow_factory: UnitOfWorkFactory, name: str = "letters", *, project: str | None = None
) -> Workflow:
    """Keep a workflow of a test project without loading its graph first."""
    async with uow_factory() as uow:
        uow.workflows.add(workflow := new_workflow(name, project=project))
        await uow.commit()
    return workflow


async def accept(
    uow_factory: UnitOfWorkFactory,
    workflow: Workflow,
    count: int = 1,
    *,
    input_: JsonObject | None = None,
    limits: Limits | None = None,
    choice: dict[str, str] | None = None,
    breakpoints: Breakpoints = NO_BREAKPOINTS,
    stream: tuple[str, ...] = (),
) -> ExecutionPlan:
    """Accept executions of one workflow, with the event and the audit entry of each."""
    plan = ExecutionPlan(
        workflow_id=workflow.id,
        inputs=[PlannedInput(input=input_ or {})],
        choices=[GraphChoice(choice or {})],
        executions=plan_product((1, 1, count)),
        limits=limits or Limits(),
        caller="test",
        created_at=utc_now(),
        metadata={},
        breakpoints=breakpoints,
        stream=stream,
    )
    async with uow_factory() as uow:
        uow.executions.add(plan)
        uow.journal.record(*(_created(planned.execution_id) for planned in plan.executions))
        await uow.commit()
    return plan


def _created(execution_id: UUID) -> Change:
    return Change(
        aggregate=Aggregate.EXECUTION,
        aggregate_id=execution_id,
        version=1,
        event=ExecutionCreated(pool="default"),
        actor="test",
        status_after="pending",
    )


async def register_runner(uow_factory: UnitOfWorkFactory, name: str = "runner-1") -> UUID:
    """A living runner's row; answers its id."""
    now = utc_now()
    runner = Runner(
        id=new_id(),
        name=name,
        pool="default",
        host="test",
        pid=1,
        slots=8,
        started_at=now,
        heartbeat_at=now,
    )
    async with uow_factory() as uow:
        await uow.runners.register(runner)
        await uow.commit()
    return runner.id


async def claim(
    uow_factory: UnitOfWorkFactory, runner_id: UUID, limit: int = 1000
) -> list[ClaimedRun]:
    """Claim pending runs and commit."""
    async with uow_factory() as uow:
        claimed = await uow.runs.claim_pending(runner_id, "default", limit)
        await uow.commit()
    return claimed


async def settle(
    uow_factory: UnitOfWorkFactory, runner_id: UUID, *outcomes: RunOutcome
) -> set[UUID]:
    """Settle outcomes and commit; answers what passed the fence."""
    async with uow_factory() as uow:
        settled = await uow.runs.settle(runner_id, outcomes)
        await uow.commit()
    return set(settled.kept)


def completed(run_id: UUID, output: Any = None) -> RunOutcome:  # noqa: ANN401 - any JSON value
    """A good end."""
    return RunOutcome(run_id=run_id, status=RunStatus.COMPLETED, duration_ms=1.5, output=output)


async def history(database: Database, aggregate_id: UUID) -> list[tuple[int, str]]:
    """Sequence number and type of every event of one object."""
    rows = await select(
        database,
        "SELECT sequence, type FROM wtb_outbox WHERE aggregate_id = :id ORDER BY id",
        id=aggregate_id,
    )
    return [(row["sequence"], row["type"]) for row in rows]
