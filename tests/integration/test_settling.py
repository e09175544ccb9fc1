"""Settling: fenced by the runner, many outcomes in one transaction, each with its record."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from arranging import (
    accept,
    claim,
    completed,
    eventually,
    history,
    register,
    register_runner,
    select,
    settle,
)
from redis.asyncio import Redis

from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.settler import Settler
from wtb_async.domain import events
from wtb_async.domain.execution import PauseReason, RunError
from wtb_async.domain.json import JsonValue
from wtb_async.domain.run import DEFAULT_POOL, RunStatus
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.nudges import RedisNudges

COLUMNS = """
SELECT e.status, e.pause_reason, e.output, e.error, e.checkpoint_id, e.next_nodes, e.interrupts,
       e.duration_ms, e.version, e.finished_at IS NOT NULL AS finished, run.status AS run_status,
       run.finished_at IS NOT NULL AS run_finished
FROM wtb_executions e JOIN wtb_runs run ON run.id = e.run_id WHERE run.id = :run_id
"""


@dataclass(frozen=True)
class Held:
    """A runner, and the runs that it holds."""

    database: Database
    runner_id: UUID
    runs: list[ClaimedRun]

    async def settle(self, *outcomes: RunOutcome) -> set[UUID]:
        return await settle(self.database.unit_of_work, self.runner_id, *outcomes)

    async def row(self, run: ClaimedRun) -> dict[str, object]:
        [found] = await select(self.database, COLUMNS, run_id=run.id)
        return dict(found)

    async def last_event(self, run: ClaimedRun) -> tuple[str, object]:
        found = await select(
            self.database,
            "SELECT type, data FROM wtb_outbox WHERE aggregate_id = :id ORDER BY id",
            id=run.execution_id,
        )
        return found[-1]["type"], found[-1]["data"]


@pytest.fixture
async def held(database: Database) -> Held:
    await accept(database.unit_of_work, await register(database.unit_of_work), 4)
    runner_id = await register_runner(database.unit_of_work)
    return Held(database, runner_id, await claim(database.unit_of_work, runner_id))


@pytest.fixture
async def settler(held: Held, redis: Redis) -> AsyncIterator[Settler]:
    nudges = RedisNudges(redis)
    made = Settler(
        held.runner_id,
        held.database.unit_of_work,
        nudges,
        pool=DEFAULT_POOL,
        retry_seconds=0.01,
    )
    task = asyncio.create_task(made.settle_forever())
    yield made
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await nudges.flush()


def failed(run: ClaimedRun, output: JsonValue = None) -> RunOutcome:
    return RunOutcome(
        run_id=run.id,
        status=RunStatus.FAILED,
        duration_ms=2.0,
        output=output,
        error=RunError("ValueError", "naïve", "second"),
        checkpoint_id="c-1",
    )


def paused(run: ClaimedRun) -> RunOutcome:
    return RunOutcome(
        run_id=run.id,
        status=RunStatus.PAUSED,
        duration_ms=3.0,
        pause_reason=PauseReason.INTERRUPT,
        next_nodes=("second",),
        interrupts=({"id": "i-1", "value": "which?"},),
    )


def cancelled(run: ClaimedRun) -> RunOutcome:
    return RunOutcome(run_id=run.id, status=RunStatus.CANCELLED, duration_ms=0.0)


async def test_a_completed_run_leaves_its_output(held: Held) -> None:
    run = held.runs[0]
    assert await held.settle(completed(run.id, {"letters": ["a"]})) == {run.id}
    assert await held.row(run) == {
        "status": "completed",
        "pause_reason": None,
        "output": {"letters": ["a"]},
        "error": None,
        "checkpoint_id": None,
        "next_nodes": [],
        "interrupts": [],
        "duration_ms": 1.5,
        "version": 3,
        "finished": True,
        "run_status": "completed",
        "run_finished": True,
    }


async def test_a_failed_run_leaves_its_error(held: Held) -> None:
    run = held.runs[0]
    await held.settle(failed(run))
    row = await held.row(run)
    assert row["error"] == {"type": "ValueError", "message": "naïve", "node": "second"}
    assert (row["status"], row["run_status"], row["finished"]) == ("failed", "failed", True)
    assert row["checkpoint_id"] == "c-1"


async def test_a_paused_run_says_what_it_waits_for_and_is_not_finished(held: Held) -> None:
    run = held.runs[0]
    await held.settle(paused(run))
    row = await held.row(run)
    assert (row["status"], row["pause_reason"], row["finished"]) == ("paused", "interrupt", False)
    assert (row["next_nodes"], row["interrupts"]) == (
        ["second"],
        [{"id": "i-1", "value": "which?"}],
    )
    assert (row["run_status"], row["run_finished"]) == ("paused", True)


async def test_many_outcomes_of_every_kind_settle_together(held: Held) -> None:
    one, two, three, four = held.runs
    outcomes = [completed(one.id), failed(two), paused(three), cancelled(four)]
    assert await held.settle(*outcomes) == {run.id for run in held.runs}
    assert [(await held.row(run))["status"] for run in held.runs] == [
        "completed",
        "failed",
        "paused",
        "cancelled",
    ]


async def test_each_event_has_the_shape_of_its_class(held: Held) -> None:
    one, two, three, four = held.runs
    outcomes = [completed(one.id), failed(two), paused(three), cancelled(four)]
    await held.settle(*outcomes)
    for run, outcome in zip(held.runs, outcomes, strict=True):
        expected = outcome.event()
        assert await held.last_event(run) == (expected.type, expected.data())
        assert getattr(events, expected.type) is type(expected)


async def test_every_settling_is_audited(held: Held) -> None:
    await held.settle(completed(held.runs[0].id), cancelled(held.runs[1]))
    rows = await select(
        held.database,
        "SELECT actor, action, status_before, status_after FROM wtb_audit_log"
        " WHERE action IN ('ExecutionCompleted', 'ExecutionCancelled') ORDER BY action",
    )
    actor = f"runner:{held.runner_id}"
    assert [tuple(row.values()) for row in rows] == [
        (actor, "ExecutionCancelled", "running", "cancelled"),
        (actor, "ExecutionCompleted", "running", "completed"),
    ]


async def test_another_runner_settles_nothing(held: Held) -> None:
    run = held.runs[0]
    before = await held.row(run)
    stranger = await register_runner(held.database.unit_of_work, "stranger")
    assert await settle(held.database.unit_of_work, stranger, completed(run.id)) == set()
    assert await held.row(run) == before
    assert [kind for _, kind in await history(held.database, run.execution_id)] == [
        "ExecutionCreated",
        "ExecutionStarted",
    ]


async def test_a_run_settles_once(held: Held) -> None:
    run = held.runs[0]
    await held.settle(completed(run.id, "first"))
    assert await held.settle(completed(run.id, "second"), failed(run)) == set()
    assert (await held.row(run))["output"] == "first"


async def test_two_settlings_at_once_keep_one(held: Held) -> None:
    run = held.runs[0]
    kept = await asyncio.gather(
        held.settle(completed(run.id)), held.settle(failed(run)), held.settle(cancelled(run))
    )
    assert sorted(len(ids) for ids in kept) == [0, 0, 1]
    assert len(await history(held.database, run.execution_id)) == 3


async def all_settled(held: Held) -> bool:
    return all([(await held.row(run))["run_finished"] for run in held.runs])


POISONS: dict[str, JsonValue] = {
    "NUL": {"letters": ["\x00"]},
    "an integer of more than 64 bits": {"number": 2**70},
    "a list deeper than the encoder goes": json.loads("[" * 300 + "]" * 300),
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
async def test_an_outcome_that_cannot_be_stored_fails_only_its_own_run(
    held: Held, settler: Settler, poison: JsonValue
) -> None:
    one, two, three, four = held.runs
    settler.put(completed(one.id, "fine"))
    settler.put(completed(two.id, poison))
    settler.put(completed(three.id, "fine"))
    settler.put(cancelled(four))
    await eventually(lambda: all_settled(held))
    assert [(await held.row(run))["status"] for run in held.runs] == [
        "completed",
        "failed",
        "completed",
        "cancelled",
    ]
    error = (await held.row(two))["error"]
    assert isinstance(error, dict)
    assert error["type"] == "NotStorable"


async def test_a_refused_pause_fails_although_its_interrupts_are_the_poison(
    held: Held, settler: Settler
) -> None:
    poisoned = RunOutcome(
        run_id=held.runs[0].id,
        status=RunStatus.PAUSED,
        duration_ms=1.0,
        pause_reason=PauseReason.INTERRUPT,
        interrupts=({"id": "i-1", "value": "\x00"},),
    )
    for outcome in [poisoned, *(completed(run.id) for run in held.runs[1:])]:
        settler.put(outcome)
    await eventually(lambda: all_settled(held))
    row = await held.row(held.runs[0])
    assert (row["status"], row["interrupts"]) == ("failed", [])


async def test_what_is_left_is_settled_at_the_end(held: Held, redis: Redis) -> None:
    nudges = RedisNudges(redis)
    settler = Settler(held.runner_id, held.database.unit_of_work, nudges, pool=DEFAULT_POOL)
    for run in held.runs:
        settler.put(completed(run.id))
    await settler.settle_rest()
    await nudges.flush()
    assert await all_settled(held)
