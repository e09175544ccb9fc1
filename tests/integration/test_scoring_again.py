"""What was run is scored by other evaluators later, whatever scorers are doing meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from arranging import change, completed, eventually, history, select, waiting
from factories import outbox_event
from scored_batches import RIGHT, begin, failed

from wtb_async.application.batches.scoring import (
    ScoredExecution,
    ScoringJob,
    SummaryJob,
    SummaryScore,
)
from wtb_async.application.ids import new_id
from wtb_async.application.outbox.routing import route
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.batch_events import BatchScoringRequested
from wtb_async.domain.batch_test import ScoringMode
from wtb_async.domain.errors import InvalidInput, InvalidTransition, NotFound
from wtb_async.domain.evaluator import EvaluatorChoice, EvaluatorKind
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

EXACT, LATENCY = "wtb.exact_match", "wtb.latency"


async def test_a_finished_batch_is_scored_by_another_evaluator_alone(platform: Platform) -> None:
    batch = await begin(platform, 2)
    await batch.end(completed(batch.runs[0].id, RIGHT), failed(batch.runs[1]))
    await batch.score()
    before = await select(platform.database, "SELECT created_at FROM wtb_evaluation_results")
    await batch.score_with(LATENCY)
    assert await batch.status() == "running"
    assert await batch.score() == 2
    assert await batch.status() == "completed"
    assert await batch.scores() == [{EXACT: True, LATENCY: 1.5}, {}]
    kept = await select(
        platform.database,
        "SELECT created_at FROM wtb_evaluation_results WHERE key = 'wtb.exact_match'",
    )
    assert kept == before, "it was not called again"
    assert [kind for _, kind in await history(platform.database, batch.id)] == [
        "BatchCreated",
        "BatchStarted",
        "BatchCompleted",
        "BatchScoringRequested",
        "BatchCompleted",
    ]


async def test_the_request_is_recorded_with_who_asked(platform: Platform) -> None:
    batch = await begin(platform, 1)
    await batch.score_with(EvaluatorChoice(use=EXACT, key="again"))
    [command] = await select(
        platform.database,
        "SELECT issued_by, payload FROM wtb_commands WHERE kind = 'score' AND target_id = :id",
        id=batch.id,
    )
    [audit] = await select(
        platform.database,
        "SELECT actor, status_before, status_after FROM wtb_audit_log WHERE action = :action",
        action="BatchScoringRequested",
    )
    assert command["issued_by"] == "test"
    assert command["payload"] == {"mode": "add", "evaluators": [{"use": EXACT, "key": "again"}]}
    assert tuple(audit.values()) == ("test", "running", "running")


def test_the_relay_has_it_scored() -> None:
    batch = new_id()
    deliveries = route([outbox_event(BatchScoringRequested(mode="add", evaluators=1), batch)])
    assert deliveries.batches == (batch,)


async def test_evaluators_may_be_replaced_with_all_that_they_said(platform: Platform) -> None:
    batch = await begin(platform, 1)
    await batch.end_all()
    await batch.score()
    same_key = EvaluatorChoice(use="wtb.json_match", key=EXACT, arguments={"only": ["missing"]})
    await batch.score_with(same_key, LATENCY, mode=ScoringMode.REPLACE)
    assert await batch.scores() == [{}]
    await batch.score()
    [row] = await batch.results()
    assert row.scores == {LATENCY: 1.5}
    assert "has no 'missing'" in row.score_errors[EXACT]


async def test_what_failed_is_called_again_where_it_failed(platform: Platform) -> None:
    summary = EvaluatorChoice(use="graded:share_right", kind=EvaluatorKind.SUMMARY)
    batch = await begin(platform, 2, ["wtb.numeric_match", LATENCY, summary])
    await batch.end_all()
    await batch.score()
    factory = platform.database.unit_of_work
    await change(
        platform.database,
        "UPDATE wtb_evaluation_results SET error = NULL, score = 'true'"
        " WHERE execution_id = :id AND error IS NOT NULL",
        id=batch.runs[0].execution_id,
    )
    await batch.score_with(mode=ScoringMode.RETRY)
    async with factory() as uow:
        [job] = await uow.scores.claim(batch.id, 10, 0.0)
        await uow.commit()
    assert job.outcome.execution_id == batch.runs[1].execution_id
    assert [choice.use for choice in job.evaluators] == ["wtb.numeric_match"]
    assert await batch.score() == 1
    assert await batch.status() == "completed"
    first, second = await batch.results()
    assert first.scores == {"wtb.numeric_match": True, LATENCY: 1.5}
    assert second.scores == {LATENCY: 1.5}
    assert set(second.score_errors) == {"wtb.numeric_match"}
    queries = BatchTestQueries(platform.database.engine)
    assert [each.score for each in await queries.summaries(batch.id)] == [1.0]


async def test_what_still_runs_is_shown_to_the_new_evaluators_too(platform: Platform) -> None:
    batch = await begin(platform, 2)
    await batch.end(completed(batch.runs[0].id, RIGHT))
    await batch.score()
    await batch.score_with(LATENCY)
    assert await batch.score() == 1
    await batch.end(completed(batch.runs[1].id, RIGHT))
    assert await batch.score() == 1
    assert await batch.scores() == [{EXACT: True, LATENCY: 1.5}] * 2
    assert await batch.status() == "completed"


class Held:
    """An engine that waits before it answers what the platform's own engine says."""

    def __init__(self, platform: Platform) -> None:
        self._engine = platform.evaluation
        self.began = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def score(self, job: ScoringJob) -> ScoredExecution:
        scored = await self._engine.score(job)
        self.began.set()
        await self.may_answer.wait()
        return scored

    async def summarize(self, job: SummaryJob) -> Sequence[SummaryScore]:
        return await self._engine.summarize(job)


@pytest.mark.parametrize("mode", [ScoringMode.ADD, ScoringMode.REPLACE])
async def test_results_for_the_evaluators_before_are_dropped_when_these_change(
    platform: Platform, mode: ScoringMode
) -> None:
    batch = await begin(platform, 1)
    await batch.end_all()
    held = Held(platform)
    scoring = asyncio.create_task(batch.score(held))
    await held.began.wait()
    await batch.score_with(LATENCY, mode=mode)
    held.may_answer.set()
    await scoring
    wanted = {EXACT: True, LATENCY: 1.5} if mode is ScoringMode.ADD else {LATENCY: 1.5}
    assert await batch.scores() == [wanted], "the same scorer took it again"
    assert await batch.status() == "completed"


async def test_a_claim_is_kept_for_as_long_as_its_scorer_works(platform: Platform) -> None:
    batch = await begin(platform, 1)
    await batch.end_all()
    held = Held(platform)
    scoring = asyncio.create_task(batch.score(held, claim_seconds=2.0))
    await held.began.wait()
    [first] = await _claimed_until(platform)

    async def extended() -> bool:
        return await _claimed_until(platform) > [first]

    await eventually(extended)
    assert await batch.score() == 0, "nobody else takes it"
    held.may_answer.set()
    assert await scoring == 1
    assert await batch.scores() == [{EXACT: True}]


async def _claimed_until(platform: Platform) -> list[object]:
    rows = await select(platform.database, "SELECT scoring_until FROM wtb_executions")
    return [row["scoring_until"] for row in rows]


async def test_a_batch_that_is_just_being_changed_is_not_completed(platform: Platform) -> None:
    batch = await begin(platform, 1, [])
    await batch.end_all()
    factory = platform.database.unit_of_work

    async def complete() -> bool:
        async with factory() as uow:
            done = await uow.batch_tests.conclude([batch.id])
            await uow.commit()
        return bool(done.moved)

    async with factory() as uow:
        found = await uow.batch_tests.lock(batch.id)
        found.score_again([EvaluatorChoice(use=EXACT)], ScoringMode.ADD)
        completing = asyncio.create_task(complete())
        await eventually(lambda: waiting(platform.database))
        await uow.commit()
    assert await completing is False
    assert await batch.score() == 1
    assert await batch.status() == "completed"


async def test_what_cannot_be_scored_again_is_refused_and_nothing_is_changed(
    platform: Platform,
) -> None:
    batch = await begin(platform, 1)
    with pytest.raises(InvalidInput, match=r"evaluators\.0: another evaluator scores under"):
        await batch.score_with(EXACT)
    with pytest.raises(InvalidInput, match="does not exist"):
        await batch.score_with("wtb.magic")
    await change(platform.database, "UPDATE wtb_batch_tests SET becomes = 'cancelled'")
    with pytest.raises(InvalidTransition, match="the batch test is being stopped"):
        await batch.score_with(LATENCY)
    assert [number for number, _ in await history(platform.database, batch.id)] == [1, 2]


@pytest.mark.parametrize("status", ["cancelled", "failed", "completed"])
async def test_a_batch_ends_as_it_had_ended_once_it_is_scored_again(
    platform: Platform, status: str
) -> None:
    batch = await begin(platform, 2)
    await batch.end_all()
    assert await batch.score() == 2
    ending = f"UPDATE wtb_batch_tests SET status = '{status}'"  # noqa: S608 - of the test's own
    await change(platform.database, ending)
    await batch.score_with(LATENCY)
    assert await batch.status() == "running"
    assert await batch.score() == 2
    assert await batch.status() == status


async def test_a_batch_that_does_not_exist_is_not_found(platform: Platform) -> None:
    batch = await begin(platform, 1)
    nobody = replace(batch, id=new_id())
    with pytest.raises(NotFound):
        await nobody.score_with(LATENCY)
