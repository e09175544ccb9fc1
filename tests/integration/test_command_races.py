"""Commands that race completion and each other: one wins each transition, nothing gets lost."""

import asyncio
from collections import Counter
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from arranging import eventually, select
from controlling import Stations, output_of
from living_runner import LivingRunner

from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.execution import EXECUTION_TRANSITIONS, ExecutionStatus
from wtb_async.infrastructure.postgres.database import Database

CALLERS = 8
COMMANDS_EACH = 60
EXECUTIONS = 12
MOST_SECONDS_BETWEEN = 0.02


COMMANDS = {"pause": 4, "resume": 4, "answer": 4, "stop": 1, "rollback": 6, "edit_state": 2}
"""Each with its weight: what has been stopped takes nothing but a rollback."""


class Caller:
    """Somebody who asks for anything at any time."""

    def __init__(self, stations: Stations, executions: list[UUID], seed: int) -> None:
        self._stations = stations
        self._executions = executions
        self._random = Random(seed)  # noqa: S311 - of a test
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def work(self) -> None:
        """Issue commands; whatever but a refusal is an error."""
        for _ in range(COMMANDS_EACH):
            [name] = self._random.choices(list(COMMANDS), list(COMMANDS.values()))
            try:
                await self._issue(name, self._random.choice(self._executions))
            except (InvalidTransition, InvalidInput):
                self.refused[name] += 1
            else:
                self.accepted[name] += 1
            await asyncio.sleep(self._random.uniform(0, MOST_SECONDS_BETWEEN))

    async def _issue(self, command: str, execution_id: UUID) -> None:
        match command:
            case "answer":
                await self._stations.resume(execution_id, answers="yes")
            case "rollback":
                await self._stations.roll_back(execution_id, before_node="b")
            case "edit_state":
                await self._stations.edit(execution_id, {"note": "edited"})
            case _:
                await getattr(self._stations, command)(execution_id)


@pytest.mark.parametrize("dies", [False, True], ids=["a living runner", "a runner that dies"])
async def test_of_commands_that_race_one_wins_each_transition_and_none_is_lost(
    stations: Stations, stations_runner: LivingRunner, *, dies: bool
) -> None:
    executions = [
        await stations.start(b="ask" if number % 2 else "", c="ask twice" if number % 3 else "")
        for number in range(EXECUTIONS)
    ]
    callers = [Caller(stations, executions, seed) for seed in range(CALLERS)]
    async with asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(caller.work())
        if dies:
            group.create_task(_die_and_come_back(stations_runner))
    database = stations.platform.database

    async def all_rest() -> bool:
        # As the beat does it: what was locked when its runner was lost is found by the next look.
        await reap_lost_runners(database.unit_of_work, lease_seconds=30)
        [row] = await select(database, RESTLESS)
        return not row["count"]

    await eventually(all_rest)

    accepted = sum((caller.accepted for caller in callers), Counter[str]())
    refused = sum((caller.refused for caller in callers), Counter[str]())
    assert min(accepted.total(), refused.total()) > EXECUTIONS
    accepted["resume"] += accepted.pop("answer", 0)
    assert accepted == await _recorded(database)
    for execution_id in executions:
        await _check_history(stations, execution_id)
    assert not stations_runner.task.done()


async def _die_and_come_back(runner: LivingRunner) -> None:
    for _ in range(4):
        await asyncio.sleep(0.2)
        await runner.die()
        await asyncio.sleep(0.1)
        runner.live()


RESTLESS = """
SELECT (SELECT count(*) FROM wtb_runs WHERE status IN ('pending', 'running'))
     + (SELECT count(*) FROM wtb_executions WHERE status IN ('pending', 'running')) AS count
"""


async def _recorded(database: Database) -> Counter[str]:
    rows = await select(database, "SELECT kind, count(*) FROM wtb_commands GROUP BY kind")
    return Counter({row["kind"]: row["count"] for row in rows})


async def _check_history(stations: Stations, execution_id: UUID) -> None:
    database = stations.platform.database
    events = await select(database, EVENTS, id=execution_id)
    audit = await select(database, AUDIT, id=execution_id)
    execution = await stations.get(execution_id)
    assert [each["sequence"] for each in events] == list(range(1, execution.version + 1))
    assert Counter(each["type"] for each in events) == Counter(each["action"] for each in audit)
    for before, after in pairwise(audit):
        assert after["status_before"] == before["status_after"], audit
    for entry in audit[1:]:
        old, new = ExecutionStatus(entry["status_before"]), ExecutionStatus(entry["status_after"])
        assert old is new or EXECUTION_TRANSITIONS.allows(old, new)
    for at in (at for at, each in enumerate(events) if each["type"] == "ExecutionStopRequested"):
        settled = next(each["type"] for each in events[at:] if each["type"] in SETTLED)
        assert settled != "ExecutionPaused"


SETTLED = ("ExecutionPaused", "ExecutionCompleted", "ExecutionFailed", "ExecutionCancelled")
EVENTS = "SELECT sequence, type FROM wtb_outbox WHERE aggregate_id = :id ORDER BY sequence"
AUDIT = """
SELECT action, status_before, status_after FROM wtb_audit_log
WHERE aggregate_id = :id ORDER BY id
"""


@pytest.mark.usefixtures("stations_runner")
async def test_of_answers_given_at_once_one_is_accepted_and_the_graph_sees_that_one(
    stations: Stations,
) -> None:
    for _ in range(10):
        execution_id = await stations.start(b="ask")
        paused = await stations.when(execution_id, ExecutionStatus.PAUSED)
        question = paused.interrupts[0]["id"]
        given = [f"answer {number}" for number in range(6)]
        results = await asyncio.gather(
            *(stations.resume(execution_id, answers={question: each}) for each in given),
            return_exceptions=True,
        )
        [taken] = [each for each, result in zip(given, results, strict=True) if result is None]
        refusals = [result for result in results if result is not None]
        assert all(isinstance(each, InvalidTransition) for each in refusals), refusals
        done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
        assert output_of(done)["seen"][1] == f"b:{taken}"
