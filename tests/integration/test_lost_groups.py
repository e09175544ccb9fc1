"""Runs that serve several executions: claimed, settled and taken over as one, fenced as one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from arranging import change, claim, completed, history, register, register_runner, select, settle
from groups import accept_group, runs_of

from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.application.runs.settle_runs import settle_runs
from wtb_async.domain.execution import ExecutionStatus, Limits
from wtb_async.domain.run import RunStatus
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries

CHOICES = [{"c": c, "d": d} for c in ("base", "loud") for d in ("base", "quiet")]


@dataclass(frozen=True)
class Group:
    """Four executions that one runner has claimed with one run."""

    database: Database
    ids: list[UUID]
    runner: UUID
    run: ClaimedRun

    async def views(self) -> list[ExecutionView]:
        queries = ExecutionQueries(self.database.engine)
        return [await queries.get(execution_id) for execution_id in self.ids]

    async def settle(self, runner: UUID, *outcomes: RunOutcome) -> set[UUID]:
        async with self.database.unit_of_work() as uow:
            settled = await settle_runs(runner, outcomes, uow)
            await uow.commit()
        return set(settled.kept)

    async def claim_again(self) -> tuple[UUID, list[ClaimedRun]]:
        runner = await register_runner(self.database.unit_of_work, "runner-2")
        return runner, await claim(self.database.unit_of_work, runner)

    async def reap(self) -> int:
        return await reap_lost_runners(self.database.unit_of_work, lease_seconds=0)

    async def types(self) -> list[list[str]]:
        found = [await history(self.database, execution_id) for execution_id in self.ids]
        return [[type_ for _, type_ in events] for events in found]


@pytest.fixture
async def group(database: Database) -> Group:
    workflow = await register(database.unit_of_work, "stations")
    ids = await accept_group(database, workflow, CHOICES, {}, limits=Limits(max_attempts=2))
    runner = await register_runner(database.unit_of_work)
    [run] = await claim(database.unit_of_work, runner)
    return Group(database, ids, runner, run)


def split(run: ClaimedRun, *reached: str) -> RunOutcome:
    return RunOutcome(
        run_id=run.id, status=RunStatus.SPLIT, duration_ms=20.0, of_group=True, reached=reached
    )


def ended(run: ClaimedRun) -> RunOutcome:
    return replace(completed(run.id, {"seen": []}), of_group=bool(run.gates))


async def test_a_group_is_claimed_once_and_all_of_it_has_started(group: Group) -> None:
    assert (group.run.variants, group.run.gates) == ({}, ("c", "d"))
    assert {view.status for view in await group.views()} == {ExecutionStatus.RUNNING}
    assert await group.types() == [["ExecutionStarted"]] * 4


async def test_a_claim_whose_answer_was_lost_is_adopted_once(group: Group) -> None:
    async with group.database.unit_of_work() as uow:
        adopted = await uow.runs.held_by(group.runner, ())
    assert [run.id for run in adopted] == [group.run.id]


async def test_a_group_parts_by_the_gates_that_it_has_reached(group: Group) -> None:
    assert await group.settle(group.runner, split(group.run, "c")) == {group.run.id}
    _, runs = await group.claim_again()
    assert [(run.variants, run.gates) for run in runs] == [
        ({"c": "base"}, ("d",)),
        ({"c": "loud"}, ("d",)),
    ]
    assert {run.spent_ms for run in runs} == {20.0}
    assert all(run.resumes for run in runs)
    assert {view.status for view in await group.views()} == {ExecutionStatus.RUNNING}
    assert await group.types() == [["ExecutionStarted"]] * 4, "nothing that others must know"


async def test_what_a_group_ends_with_all_of_it_has_on_threads_of_their_own(group: Group) -> None:
    await group.settle(group.runner, split(group.run, "d"))
    runner, [first, second] = await group.claim_again()
    await group.settle(runner, ended(first), ended(second))
    views = await group.views()
    assert {view.status for view in views} == {ExecutionStatus.COMPLETED}
    assert {view.duration_ms for view in views} == {21.5}
    assert len({view.thread_id for view in views}) == 4
    assert await group.types() == [["ExecutionStarted", "ExecutionCompleted"]] * 4
    [audited] = await select(
        group.database,
        "SELECT count(*) FROM wtb_audit_log WHERE action = 'ExecutionCompleted'"
        " AND status_before = 'running' AND status_after = 'completed'",
    )
    assert audited["count"] == 4


async def test_a_stop_that_comes_when_the_gates_are_reached_ends_all(group: Group) -> None:
    stop = """UPDATE wtb_runs SET request = '{"kind": "stop", "at_node": null}'"""
    await change(group.database, stop)
    await group.settle(group.runner, split(group.run, "c"))
    views = await group.views()
    assert {(view.status, view.duration_ms) for view in views} == {
        (ExecutionStatus.CANCELLED, 20.0)
    }
    assert len({view.thread_id for view in views}) == 4
    assert len(await runs_of(group.database)) == 1


async def test_runs_after_a_split_come_before_what_was_accepted_later(group: Group) -> None:
    workflow = await register(group.database.unit_of_work, "letters")
    await accept_group(group.database, workflow, [{}], {})
    await group.settle(group.runner, split(group.run, "c", "d"))
    _, runs = await group.claim_again()
    assert [run.workflow_id == workflow.id for run in runs] == [False] * 4 + [True]


async def test_a_lost_group_is_taken_over_as_one(group: Group) -> None:
    assert await group.reap() == 1
    assert await group.types() == [["ExecutionStarted", "ExecutionTakenOver"]] * 4
    _, [run] = await group.claim_again()
    assert (run.attempt, run.gates) == (2, ("c", "d"))
    assert {view.attempt for view in await group.views()} == {2}


async def test_attempts_are_counted_on_across_a_split(group: Group) -> None:
    await group.reap()
    runner, [run] = await group.claim_again()
    await group.settle(runner, split(run, "c", "d"))
    _, runs = await group.claim_again()
    assert [run.attempt for run in runs] == [2] * 4


async def test_a_group_that_is_lost_for_good_fails_as_a_whole(group: Group) -> None:
    await group.reap()
    runner, [run] = await group.claim_again()
    async with group.database.unit_of_work() as uow:
        await uow.runners.note_alone(runner, run.id)
        await uow.commit()
    assert await group.reap() == 1
    views = await group.views()
    assert {view.error and view.error["type"] for view in views} == {"runner_lost"}
    assert len({view.thread_id for view in views}) == 4
    assert [run["status"] for run in await runs_of(group.database)] == ["lost", "lost"]


@pytest.mark.parametrize("end", [ended, lambda run: split(run, "c")], ids=["end", "split"])
async def test_what_a_lost_runner_says_of_a_group_changes_nothing(
    group: Group, end: Callable[[ClaimedRun], RunOutcome]
) -> None:
    await group.reap()
    before = await group.views()
    assert await group.settle(group.runner, end(group.run)) == set()
    assert await group.views() == before


async def test_a_split_whose_commit_was_cut_is_done_once(group: Group) -> None:
    await group.settle(group.runner, split(group.run, "c"))
    assert await group.settle(group.runner, split(group.run, "c")) == set()
    assert len(await runs_of(group.database)) == 3


async def test_plain_runs_are_settled_beside_groups(group: Group) -> None:
    workflow = await register(group.database.unit_of_work, "letters")
    [alone] = await accept_group(group.database, workflow, [{}], {})
    [run] = await claim(group.database.unit_of_work, group.runner)
    kept = await group.settle(group.runner, ended(run), split(group.run, "c"))
    assert kept == {run.id, group.run.id}
    execution = await ExecutionQueries(group.database.engine).get(alone)
    assert execution.status is ExecutionStatus.COMPLETED
    assert await settle(group.database.unit_of_work, group.runner, ended(run)) == set()
