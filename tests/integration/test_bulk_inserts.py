"""Many rows in one statement: exact values, any number, in the order given."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from uuid import UUID

import pytest
from arranging import claim, register, register_runner, select
from sqlalchemy import Column, Integer, MetaData, Table, Text, Uuid, event
from sqlalchemy.dialects.postgresql import JSONB

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.plan import ExecutionPlan, PlannedInput, plan_product
from wtb_async.application.ids import new_id
from wtb_async.domain.execution import Limits
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.database import Database

MANY = 10_000
PARCELS = Table(
    "parcels",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("label", Text),
    Column("content", JSONB),
    Column("weight", Integer),
)


@pytest.fixture
async def parcels(database: Database) -> Table:
    """An empty table with a column of each kind that may hold NULL."""
    async with database.engine.begin() as connection:
        await connection.run_sync(PARCELS.create)
    return PARCELS


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


async def write(database: Database, table: Table, *rows: dict[str, object]) -> None:
    bulk = BulkWriter()
    bulk.extend(table, rows)
    async with database.engine.begin() as connection:
        await bulk.flush(connection)


def parcel(**values: object) -> dict[str, object]:
    return {"id": new_id(), "label": None, "content": None, "weight": None, **values}


@pytest.mark.parametrize(
    "content",
    [
        {"text": "naïve 漢字 🙂 \u2028", "quote": "\"'\\", "$1": "%s"},
        {"null": None, "numbers": [1, -2.5, 2**53, 1e-300], "empty": {}},
        [],
        "a bare string",
        False,
        0,
    ],
)
async def test_json_comes_back_as_it_was(
    database: Database, parcels: Table, content: object
) -> None:
    await write(database, parcels, parcel(content=content))
    async with database.engine.connect() as connection:
        assert await connection.scalar(parcels.select().with_only_columns(parcels.c.content)) == (
            content
        )


async def test_none_is_null_of_sql_and_never_null_of_json(
    database: Database, parcels: Table
) -> None:
    await write(database, parcels, parcel(), parcel(content={"inside": None}))
    found = await select(
        database,
        "SELECT jsonb_typeof(content) AS kind, content IS NULL AS missing, label, weight"
        " FROM parcels ORDER BY id",
    )
    assert [(row["kind"], row["missing"]) for row in found] == [(None, True), ("object", False)]
    assert {row["label"] for row in found} == {row["weight"] for row in found} == {None}


async def test_rows_of_one_table_may_mix_null_and_values(
    database: Database, parcels: Table
) -> None:
    await write(database, parcels, parcel(label="é"), parcel(weight=7), parcel(label="", weight=0))
    found = await select(database, "SELECT label, weight FROM parcels ORDER BY id")
    assert [tuple(row.values()) for row in found] == [("é", None), (None, 7), ("", 0)]


async def test_ten_thousand_rows_are_one_statement(database: Database, parcels: Table) -> None:
    rows = [parcel(label=f"row {number}", weight=number) for number in range(MANY)]
    with statements(database) as sent:
        await write(database, parcels, *rows)
    assert len(sent) == 1
    [found] = await select(database, "SELECT count(*), sum(weight) FROM parcels")
    assert tuple(found.values()) == (MANY, MANY * (MANY - 1) // 2)


async def test_nothing_to_write_sends_nothing(database: Database) -> None:
    async with database.engine.connect() as connection:
        with statements(database) as sent:
            await BulkWriter().flush(connection)
    assert sent == []


def plan(workflow: Workflow, inputs: int, choices: int, repetitions: int) -> ExecutionPlan:
    return ExecutionPlan(
        workflow_id=workflow.id,
        inputs=[PlannedInput(input={"case": number}) for number in range(inputs)],
        choices=[GraphChoice({"second": f"variant {n}"}, "other") for n in range(choices)],
        executions=plan_product((inputs, choices, repetitions)),
        limits=Limits(timeout_seconds=2.5, max_attempts=5),
        caller="ünï",
        created_at=utc_now(),
        metadata={"why": None},
    )


async def accept_plan(database: Database, accepted: ExecutionPlan) -> None:
    async with database.unit_of_work() as uow:
        uow.executions.add(accepted)
        await uow.commit()


async def test_a_plan_becomes_exactly_the_rows_that_it_says(database: Database) -> None:
    accepted = plan(await register(database.unit_of_work), 3, 2, 2)
    await accept_plan(database, accepted)
    rows = await select(
        database,
        """
        SELECT e.id, e.run_id, e.thread_id, (e.input->>'case')::int AS input,
               e.variants->>'second' AS choice, e.repetition, e.status, e.attempt, e.version,
               e.created_by, e.created_at, e.metadata, e.workflow_variant,
               run.status AS run_status, run.variants = e.variants AS same_variants,
               run.thread_id = e.thread_id AS same_thread, run.limits, thread.reason
        FROM wtb_executions e JOIN wtb_runs run ON run.id = e.run_id
        JOIN wtb_threads thread ON thread.id = e.thread_id ORDER BY run.position
        """,
    )
    assert [
        (r["id"], r["run_id"], r["thread_id"], r["input"], r["choice"], r["repetition"])
        for r in rows
    ] == [
        (p.execution_id, p.run_id, p.thread_id, p.input, f"variant {p.choice}", p.repetition)
        for p in accepted.executions
    ]
    first = rows[0]
    assert (first["status"], first["run_status"], first["reason"]) == ("pending",) * 2 + ("start",)
    assert (first["attempt"], first["version"], first["created_by"]) == (1, 1, "ünï")
    assert (first["created_at"], first["workflow_variant"]) == (accepted.created_at, "other")
    assert first["metadata"] == {"why": None}
    assert first["limits"] == asdict(Limits(timeout_seconds=2.5, max_attempts=5))
    assert all(row["same_variants"] and row["same_thread"] for row in rows)


async def test_runs_are_claimed_in_the_order_of_the_plan(database: Database) -> None:
    workflow = await register(database.unit_of_work)
    earlier, later = plan(workflow, 20, 3, 2), plan(workflow, 5, 1, 1)
    await accept_plan(database, earlier)
    await accept_plan(database, later)
    runner = await register_runner(database.unit_of_work)
    claimed: list[UUID] = []
    while chunk := await claim(database.unit_of_work, runner, limit=17):
        claimed += [run.execution_id for run in chunk]
    assert claimed == [p.execution_id for p in [*earlier.executions, *later.executions]]


async def test_ten_thousand_executions_are_one_statement(database: Database) -> None:
    accepted = plan(await register(database.unit_of_work), 100, 10, 10)
    with statements(database) as sent:
        await accept_plan(database, accepted)
    assert len([statement for statement in sent if "INSERT" in statement]) == 1
    [found] = await select(
        database, "SELECT count(*), count(DISTINCT run_id) AS runs FROM wtb_executions"
    )
    assert tuple(found.values()) == (MANY, MANY)
