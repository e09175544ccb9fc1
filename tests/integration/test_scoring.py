"""Scoring a batch test: every execution once, and the batch completes when nothing is left."""

import asyncio
from collections.abc import Sequence

import pytest
from arranging import change, completed, eventually, history, select
from scored_batches import RIGHT, begin, failed

from wtb_async.application.batches.scoring import (
    Score,
    ScoredExecution,
    ScoringJob,
    SummaryJob,
    SummaryScore,
)
from wtb_async.application.outbox.relay_outbox import RelayOptions, relay_outbox
from wtb_async.application.outbox.routing import Deliveries
from wtb_async.bootstrap.platform import Platform


async def test_every_execution_is_scored_once_and_the_batch_completes(platform: Platform) -> None:
    batch = await begin(platform, 3, ["wtb.exact_match", "wtb.latency"])
    await batch.end_all()
    assert await batch.score() == 3
    assert await batch.scores() == [{"wtb.exact_match": True, "wtb.latency": 1.5}] * 3
    assert await batch.status() == "completed"
    assert await batch.score() == 0
    assert [kind for _, kind in await history(platform.database, batch.id)] == [
        "BatchCreated",
        "BatchStarted",
        "BatchCompleted",
    ]


async def test_the_sequence_of_a_batch_is_gapless(platform: Platform) -> None:
    batch = await begin(platform, 1)
    await batch.end_all()
    await batch.score()
    assert [number for number, _ in await history(platform.database, batch.id)] == [1, 2, 3]
    own = await history(platform.database, batch.runs[0].execution_id)
    assert own == [(1, "ExecutionStarted"), (2, "ExecutionCompleted")]


async def test_the_batch_waits_for_what_still_runs(platform: Platform) -> None:
    batch = await begin(platform, 2)
    await batch.end(completed(batch.runs[0].id, RIGHT))
    assert await batch.score() == 1
    assert await batch.status() == "running"
    await batch.end(completed(batch.runs[1].id, {"word": "wrong"}))
    assert await batch.score() == 1
    assert await batch.status() == "completed"
    assert [list(scores.values()) for scores in await batch.scores()] == [[True], [False]]


async def test_a_failed_execution_has_no_scores_but_counts_as_done(platform: Platform) -> None:
    batch = await begin(platform, 1)
    await batch.end(failed(batch.runs[0]))
    assert await batch.score() == 1
    assert await batch.scores() == [{}]
    assert await batch.status() == "completed"


async def test_concurrent_scorers_share_the_work(platform: Platform) -> None:
    batch = await begin(platform, 250, ["graded:slow", "wtb.exact_match"])
    await batch.end_all()
    counts = await asyncio.gather(*(batch.score() for _ in range(3)))
    assert sum(counts) == 250
    assert await batch.status() == "completed"
    [row] = await select(
        platform.database,
        "SELECT count(*), count(DISTINCT execution_id) AS executions FROM wtb_evaluation_results",
    )
    assert tuple(row.values()) == (500, 250)
    kinds = [kind for _, kind in await history(platform.database, batch.id)]
    assert kinds.count("BatchCompleted") == 1


async def test_an_evaluator_that_fails_is_recorded_and_costs_the_others_nothing(
    platform: Platform,
) -> None:
    batch = await begin(platform, 1, ["graded:broken", "wtb.exact_match"])
    await batch.end_all()
    await batch.score()
    rows = await select(
        platform.database,
        "SELECT key, evaluator, score, error FROM wtb_evaluation_results ORDER BY evaluator",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("broken", "graded:broken", None, f"ValueError: no opinion on {RIGHT!r}"),
        ("wtb.exact_match", "wtb.exact_match", True, None),
    ]
    assert await batch.status() == "completed"


async def test_a_batch_without_evaluators_completes_with_its_last_execution(
    platform: Platform,
) -> None:
    batch = await begin(platform, 2, [])
    await batch.end_all()
    assert await batch.score() == 0
    assert await batch.status() == "completed"


async def test_an_abandoned_batch_is_found_again(platform: Platform) -> None:
    batch = await begin(platform, 1)
    assert await batch.unfinished(0.0) == []
    await batch.end_all()
    assert await batch.unfinished(0.0) == [batch.id]
    await batch.score()
    assert await batch.unfinished(0.0) == []


async def test_a_batch_with_fresh_ends_among_running_ones_is_left_to_its_scorer(
    platform: Platform,
) -> None:
    batch = await begin(platform, 2)
    await batch.end(completed(batch.runs[0].id, RIGHT))
    assert await batch.unfinished(60.0) == []
    assert await batch.unfinished(0.0) == [batch.id]


@pytest.mark.parametrize("status", ["pending", "paused"])
async def test_a_batch_that_does_not_run_is_found_again_for_what_was_not_scored(
    platform: Platform, status: str
) -> None:
    batch = await begin(platform, 2)
    await batch.end(completed(batch.runs[0].id, RIGHT))
    await change(platform.database, "UPDATE wtb_batch_tests SET status = :status", status=status)
    assert await batch.unfinished(60.0) == []
    assert await batch.unfinished(0.0) == [batch.id]
    await batch.score()
    assert await batch.unfinished(0.0) == []


async def test_executions_of_a_scorer_that_died_are_scored_by_another(platform: Platform) -> None:
    batch = await begin(platform, 2)
    await batch.end_all()
    async with platform.database.unit_of_work() as uow:
        assert len(await uow.scores.claim(batch.id, 10, 60.0)) == 2
        await uow.commit()
    assert await batch.score() == 0
    assert await batch.status() == "running"
    await change(platform.database, "UPDATE wtb_executions SET scoring_until = clock_timestamp()")
    assert await batch.unfinished(0.0) == [batch.id]
    assert await batch.score() == 2
    assert await batch.status() == "completed"


@pytest.mark.parametrize("score", [True, False, 0.1, -3.5, 1e300])
async def test_a_score_comes_back_as_it_was(platform: Platform, score: bool | float) -> None:
    batch = await begin(platform, 1)
    await batch.end_all()
    result = Score(evaluator="e", key="k", score=score, comment="naïve")
    scored = ScoredExecution(batch.runs[0].execution_id, 2, (result,))
    async with platform.database.unit_of_work() as uow:
        [job] = await uow.scores.claim(batch.id, 10, 60.0)
        await uow.scores.record([(scored, job.claimed_until)])
        await uow.scores.record([(scored, job.claimed_until)])
        await uow.commit()
    [found] = await batch.scores()
    assert found == {"k": score}
    assert type(found["k"]) is type(score)


async def test_a_batch_without_evaluators_is_completed_by_the_relay(platform: Platform) -> None:
    batch = await begin(platform, 2, evaluators=())
    told: list[Deliveries] = []

    class Post:
        async def deliver(self, deliveries: Deliveries) -> None:
            told.append(deliveries)

    options = RelayOptions(
        chunk_size=500, claim_for=30.0, max_attempts=3, backoff=0.01, backoff_limit=0.01
    )
    await batch.end(completed(batch.runs[0].id))
    await relay_outbox(platform.database.unit_of_work, Post(), options)
    assert await batch.status() == "running"
    await batch.end(completed(batch.runs[1].id))
    await relay_outbox(platform.database.unit_of_work, Post(), options)
    assert await batch.status() == "completed"
    assert [deliveries.batches for deliveries in told] == [(), (), ()]
    assert told[-1].news == (batch.id,), "the end is news, relayed at once"


async def test_an_execution_that_goes_on_after_it_was_scored_is_scored_again(
    platform: Platform,
) -> None:
    batch = await begin(platform, 2)
    await batch.end(failed(batch.runs[0]))
    assert await batch.score() == 1
    await batch.try_again(batch.runs[0], RIGHT)
    assert await batch.score() == 1
    assert {"wtb.exact_match": True} in await batch.scores()


async def test_a_score_of_an_outcome_that_no_longer_stands_is_dropped(platform: Platform) -> None:
    batch = await begin(platform, 1)
    await batch.end(failed(batch.runs[0]))
    async with platform.database.unit_of_work() as uow:
        [seen] = await uow.scores.claim(batch.id, 10, 60.0)
        await uow.commit()
    await batch.try_again(batch.runs[0], {"word": "wrong"})
    late = Score(evaluator="wtb.exact_match", key="wtb.exact_match", score=True)
    async with platform.database.unit_of_work() as uow:
        scored = ScoredExecution(seen.outcome.execution_id, seen.outcome.version, (late,))
        await uow.scores.record([(scored, seen.claimed_until)])
        await uow.commit()
    assert await batch.scores() == [{}]
    assert await batch.status() == "running"
    assert await batch.score() == 1
    assert await batch.scores() == [{"wtb.exact_match": False}]
    assert await batch.status() == "completed"


async def test_what_is_done_is_kept_while_the_rest_takes_longer(platform: Platform) -> None:
    batch = await begin(platform, 2)
    await batch.end_all()
    last = batch.runs[1].execution_id
    may_end = asyncio.Event()

    class Slow:
        async def score(self, job: ScoringJob) -> ScoredExecution:
            if job.outcome.execution_id == last:
                await may_end.wait()
            return await platform.evaluation.score(job)

        async def summarize(self, job: SummaryJob) -> Sequence[SummaryScore]:
            return await platform.evaluation.summarize(job)

    scoring = asyncio.create_task(batch.score(Slow()))

    async def first_is_kept() -> bool:
        return await batch.scores() == [{"wtb.exact_match": True}, {}]

    await eventually(first_is_kept)
    may_end.set()
    assert await scoring == 2
    assert await batch.scores() == [{"wtb.exact_match": True}] * 2


async def test_a_scorer_whose_time_is_over_leaves_the_rest_to_others(platform: Platform) -> None:
    batch = await begin(platform, 40)
    await batch.end_all()
    assert await batch.score(work_seconds=0.0) == 0
    assert await batch.status() == "running"
    assert await batch.score() == 40
    assert await batch.status() == "completed"
