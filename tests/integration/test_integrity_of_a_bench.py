"""A whole system at work: its relay, its checks over REST, and what events promised, verified."""

import pytest
from local_benches import case, words_project

from wtb_async.domain.integrity import ReportStatus
from wtb_async.sdk.bench import WTBTestBench
from wtb_async.sdk.errors import ApiError


async def test_after_all_kinds_of_work_a_report_finds_nothing(bench: WTBTestBench) -> None:
    await bench.register_project(words_project(loud=lambda state: {"answer": state["text"]}))
    execution = await bench.run("words", {"text": "to be"})
    checkpoints = await bench.get_checkpoints(execution.id)
    await bench.rollback(execution.id, checkpoints[1].checkpoint_id)
    await bench.resume(execution.id)
    await bench.branch(execution.id, checkpoints[1].checkpoint_id, state={"text": "or not"})
    await bench.run_batch_test(
        "words",
        variant_matrix={"join": ["base", "loud"]},
        test_cases=[case("a", "x y"), case("b", "z")],
    )
    begun = await bench.integrity.check(deep=True)
    assert begun.status is ReportStatus.PENDING
    report = await bench.integrity.wait_for(begun.id)
    assert report.is_sound, report.error
    assert [each.check for each in report.results if each.found] == []
    assert report.checks_done == report.checks_total == len(report.results)
    assert (await bench.integrity.report()).id == report.id


async def test_a_repair_that_nobody_knows_is_refused_by_its_field(bench: WTBTestBench) -> None:
    with pytest.raises(ApiError) as refused:
        await bench.integrity.check(repair=["orphan_threads", "everything"])
    assert (refused.value.status, refused.value.code) == (422, "invalid_input")
    assert "repair.1" in str(refused.value)


async def test_there_is_no_report_before_the_first(bench: WTBTestBench) -> None:
    with pytest.raises(ApiError) as refused:
        await bench.integrity.report()
    assert refused.value.status == 404
