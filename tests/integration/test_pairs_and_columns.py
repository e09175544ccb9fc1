"""Pairwise evaluators see a case's two outputs, summary evaluators a combination's whole column."""

import pytest
from arranging import change, completed, select
from growing import submit_growing
from scored_batches import RIGHT, Batch, begin, failed

from wtb_async.application.batches.compare_batch import compare_batch
from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.comparison import Comparison, Verdict
from wtb_async.domain.evaluator import EvaluatorChoice, EvaluatorKind
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

LONGER = EvaluatorChoice(use="graded:longer", kind=EvaluatorKind.PAIRWISE)
SHARE = EvaluatorChoice(use="graded:share_right", kind=EvaluatorKind.SUMMARY)
BASE, LOUD = {"second": "base"}, {"second": "loud"}


def of(batch: Batch, variant: str) -> list[ClaimedRun]:
    """The runs of one combination."""
    return [run for run in batch.runs if run.variants == {"second": variant}]


async def compared(batch: Batch) -> Comparison:
    return await compare_batch(batch.id, BatchTestQueries(batch.platform.database.engine))


async def preferences(batch: Batch) -> list[dict[str, float]]:
    return [row.preferences for row in await batch.results() if row.combination == LOUD]


async def test_an_execution_is_compared_once_the_baseline_has_ended_too(
    platform: Platform,
) -> None:
    batch = await begin(platform, 2, ["wtb.latency", LONGER], ["base", "loud"])
    await batch.end(*(completed(run.id, {"word": "righter"}) for run in of(batch, "loud")))
    assert await batch.score() == 0
    assert await batch.unfinished(0.0) == [], "nobody could score anything yet"
    first, second = of(batch, "base")
    await batch.end(completed(first.id, RIGHT), completed(second.id, {"word": "the rightest"}))
    assert await batch.score() == 4
    assert await preferences(batch) == [{"longer": 1.0}, {"longer": 0.0}]
    assert await batch.scores() == [{"wtb.latency": 1.5}] * 4
    assert await batch.status() == "completed"


async def test_a_preference_does_not_depend_on_which_output_was_shown_first(
    platform: Platform,
) -> None:
    batch = await begin(platform, 12, [LONGER], ["base", "loud"])
    await batch.end(*(completed(run.id, RIGHT) for run in of(batch, "base")))
    await batch.end(*(completed(run.id, {"word": "righter"}) for run in of(batch, "loud")))
    await batch.score()
    assert await preferences(batch) == [{"longer": 1.0}] * 12
    rows = await select(
        platform.database,
        "SELECT DISTINCT baseline_first FROM wtb_evaluation_results ORDER BY baseline_first",
    )
    assert [row["baseline_first"] for row in rows] == [False, True]
    [preference] = (await compared(batch)).preferences
    [cell] = preference.cells
    assert (cell.combination, cell.won, cell.lost, cell.tied) == (LOUD, 12, 0, 0)
    assert (cell.rate, preference.verdict) == (1.0, Verdict.BETTER)
    assert cell.paired.p_value == pytest.approx(2 / 2**12)
    assert preference.sentence.startswith(
        "longer: second=loud is preferred to the baseline, it wins 12 cases, loses 0 and ties 0"
    )


async def test_where_the_baseline_failed_there_is_nothing_to_compare(platform: Platform) -> None:
    batch = await begin(platform, 1, [LONGER], ["base", "loud"])
    [base], [loud] = of(batch, "base"), of(batch, "loud")
    await batch.end(failed(base), completed(loud.id, RIGHT))
    assert await batch.score() == 2
    assert await preferences(batch) == [{}]
    assert await batch.status() == "completed"


async def test_when_the_baseline_is_tried_again_what_was_compared_with_it_is_too(
    platform: Platform,
) -> None:
    batch = await begin(platform, 2, [LONGER], ["base", "loud"])
    base, _ = of(batch, "base")
    await batch.end(failed(base), *(completed(run.id, RIGHT) for run in of(batch, "loud")))
    assert await batch.score() == 2, "one pair has ended, the other has not"
    await batch.try_again(base, {"word": "the rightest"})
    assert await batch.score() == 2, "the baseline and what is compared with it"
    assert await preferences(batch) == [{"longer": 0.0}, {}]


async def test_a_summary_is_one_value_for_each_combination_when_all_is_scored(
    platform: Platform,
) -> None:
    batch = await begin(platform, 2, [SHARE], ["base", "loud"])
    await batch.end(*(completed(run.id, RIGHT) for run in of(batch, "base")))
    await batch.score()
    assert (await compared(batch)).summaries == ()
    first, second = of(batch, "loud")
    await batch.end(completed(first.id, RIGHT), completed(second.id, {"word": "wrong"}))
    await batch.score()
    assert await batch.status() == "completed"
    summaries = (await compared(batch)).summaries
    assert [(each.combination, each.key, each.score) for each in summaries] == [
        (BASE, "share_right", 1.0),
        (LOUD, "share_right", 0.5),
    ]


async def test_a_summary_is_made_again_for_what_was_scored_after_it(platform: Platform) -> None:
    batch = await begin(platform, 1, [SHARE])
    await batch.end_all({"word": "wrong"})
    await batch.score()
    await batch.score_with("wtb.latency")
    await batch.score_with(EvaluatorChoice(use="graded:broken", kind=EvaluatorKind.SUMMARY))
    await batch.score()
    assert await batch.status() == "completed"
    summaries = (await compared(batch)).summaries
    assert [(each.key, each.score) for each in summaries] == [
        ("share_right", 0.0),
        ("broken", None),
    ]
    assert summaries[1].error == "ValueError: no opinion on [{'word': 'wrong'}]"


async def test_what_the_models_took_is_summed_up(platform: Platform) -> None:
    prices = {"*": {"input": 10.0, "output": 100.0}}
    cost = EvaluatorChoice(use="wtb.cost", arguments={"prices": prices})
    batch = await begin(platform, 3, [cost])
    queries = BatchTestQueries(platform.database.engine)
    assert (await queries.get(batch.id)).cost is None
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    output = {"messages": [{"type": "ai", "usage_metadata": usage}]}
    await batch.end(
        completed(batch.runs[0].id, output),
        completed(batch.runs[1].id, output),
        completed(batch.runs[2].id, RIGHT),
    )
    await batch.score()
    spent = (await queries.get(batch.id)).cost
    assert spent is not None
    assert (spent.input_tokens, spent.output_tokens, spent.total_tokens) == (2000, 200, 2200)
    assert spent.money == pytest.approx(2 * (1000 * 10 + 100 * 100) / 1_000_000)
    [view] = (await queries.list(workflow=None, limit=10, cursor=None)).items
    assert view.cost is None


async def test_a_preference_over_an_outcome_that_no_longer_stands_is_dropped(
    platform: Platform,
) -> None:
    batch = await begin(platform, 1, [LONGER], ["base", "loud"])
    [base], [loud] = of(batch, "base"), of(batch, "loud")
    await batch.end(completed(base.id, RIGHT), completed(loud.id, {"word": "righter"}))
    uow_factory = platform.database.unit_of_work
    async with uow_factory() as uow:
        jobs = await uow.scores.claim(batch.id, 10, 60.0)
        await uow.commit()
    scored = [(await platform.evaluation.score(job), job.claimed_until) for job in jobs]
    await change(
        platform.database,
        "UPDATE wtb_executions SET version = version + 1 WHERE id = :id",
        id=base.execution_id,
    )
    async with uow_factory() as uow:
        await uow.scores.record(scored)
        await uow.commit()
    assert await preferences(batch) == [{}]
    assert await batch.status() == "running"


async def test_what_joins_a_batch_is_compared_with_the_baseline_that_ran_before(
    platform: Platform,
) -> None:
    batch = await submit_growing(platform, "a", evaluators=[LONGER, SHARE])
    await batch.run_all()
    await batch.extend(matrix={"second": ["base", "loud"]})
    await batch.run_all()
    base, loud = await batch.results()
    assert (base.combination, base.preferences) == (BASE, {})
    assert (loud.combination, loud.preferences) == (LOUD, {"longer": 0.5})
    comparison = await compare_batch(batch.id, batch.queries)
    assert [each.combination for each in comparison.summaries] == [BASE, LOUD]
    assert (await batch.view()).status.value == "completed"
