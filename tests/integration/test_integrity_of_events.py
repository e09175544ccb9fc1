"""What events promised is verified behind the relay, and what becomes of the others is found."""

from functools import partial
from uuid import UUID

import pytest
from arranging import change, select
from checking import check, damage, found_in
from controlling import Stations
from local_benches import case, words_project

from wtb_async.application.maintenance.verify_events import verify_events
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.sdk.bench import WTBTestBench


async def verify(database: Database) -> int:
    """Verify everything there is, however fresh."""
    return await verify_events(uow_factory=database.unit_of_work, chunk_size=10, settle_seconds=0.0)


async def rolled_back(stations: Stations) -> UUID:
    execution_id = await stations.start()
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    return (await stations.roll_back(execution_id, before_node="c")).thread_id


async def test_promises_that_were_kept_leave_nothing(
    bench: WTBTestBench, database: Database
) -> None:
    await bench.register_project(words_project(loud=lambda state: {"answer": state["text"]}))
    execution = await bench.run("words", {"text": "to be"})
    [_, middle, *_] = await bench.get_checkpoints(execution.id)
    await bench.rollback(execution.id, middle.checkpoint_id)
    await bench.branch(execution.id, middle.checkpoint_id)
    await bench.run_batch_test(
        "words", variant_matrix={"join": ["base", "loud"]}, test_cases=[case("a", "x")]
    )
    assert await verify(database) == 0
    [place] = await select(database, "SELECT verified_to FROM wtb_event_verification")
    [newest] = await select(database, "SELECT max(id) AS id FROM wtb_outbox")
    assert place["verified_to"] == newest["id"] > 10


@pytest.mark.usefixtures("stations_runner")
@pytest.mark.parametrize(
    ("statement", "problems"),
    [
        (
            "DELETE FROM checkpoints",
            {"the checkpoint it stands at is gone", "the checkpoint that it went to is gone"},
        ),
        (
            "UPDATE wtb_threads SET fork_checkpoint_id = 'another' WHERE reason = 'rollback'",
            {"the thread that it went to does not begin there"},
        ),
    ],
)
async def test_a_promise_that_was_not_kept_is_recorded_and_audited(
    stations: Stations, statement: str, problems: set[str]
) -> None:
    database = stations.platform.database
    await rolled_back(stations)
    other = await stations.start()
    await stations.when(other, ExecutionStatus.COMPLETED)
    await damage(database, statement)
    failed = await verify(database)
    rows = await select(database, "SELECT problem FROM wtb_failed_verifications")
    assert {row["problem"] for row in rows} == problems
    audited = await select(
        database, "SELECT 1 FROM wtb_audit_log WHERE action = 'VerificationFailed'"
    )
    assert failed == len(rows) == len(audited)


@pytest.mark.usefixtures("stations_runner")
async def test_files_that_a_rollback_promised_and_did_not_restore_are_recorded(
    stations: Stations,
) -> None:
    database = stations.platform.database
    await rolled_back(stations)
    await change(
        database,
        "UPDATE wtb_outbox SET data = data || jsonb_build_object("
        "'file_commit_id', gen_random_uuid()) WHERE type = 'ExecutionRolledBack'",
    )
    assert await verify(database) == 1


@pytest.mark.usefixtures("stations_runner")
async def test_a_failure_is_a_finding_until_the_promise_is_kept(stations: Stations) -> None:
    database = stations.platform.database
    thread_id = await rolled_back(stations)
    move = "UPDATE wtb_threads SET fork_checkpoint_id = {} WHERE id = :thread"
    [row] = await select(
        database,
        "SELECT fork_checkpoint_id AS id FROM wtb_threads WHERE id = :thread",
        thread=thread_id,
    )
    await change(database, move.format("'another'"), thread=thread_id)
    assert await verify(database) == 1
    mend = partial(check, stations.platform, "failed_verifications", dry_run=False)
    assert len(found_in(await mend())["failed_verifications"]) == 1
    assert "failed_verifications" in found_in(await check(stations.platform)), "it still is not so"
    await change(database, move.format(":id"), thread=thread_id, id=row["id"])
    await mend()
    assert "failed_verifications" not in found_in(await check(stations.platform))


async def test_a_batch_that_does_not_add_up_is_recorded_and_found(
    bench: WTBTestBench, database: Database
) -> None:
    await bench.register_project(words_project())
    batch = await bench.run_batch_test("words", test_cases=[case("a", "x"), case("b", "y")])
    await change(database, "UPDATE wtb_batch_tests SET total = 3")
    assert await verify(database) == 1
    begun = await bench.integrity.check()
    report = await bench.integrity.wait_for(begun.id)
    found = {each.check: each.findings for each in report.results if each.found}
    assert [each.subject for each in found["failed_verifications"]] != []
    assert not report.is_sound
    assert str(batch.id) in found["failed_verifications"][0].detail


async def test_a_batch_that_should_have_ended_is_ended_when_that_is_wanted(
    stations: Stations,
) -> None:
    database = stations.platform.database
    await damage(
        database,
        "INSERT INTO wtb_batch_tests (id, workflow_id, name, status, repetitions, total, version,"
        " created_by, created_at) VALUES (gen_random_uuid(), :workflow, 'empty', 'running', 1, 0,"
        " 1, 'test', now() - interval '1 hour')",
        workflow=stations.workflow.id,
    )
    report = await check(stations.platform, "stuck_batches", dry_run=False)
    [result] = [each for each in report.results if each.check == "stuck_batches"]
    assert (result.found, result.repaired) == (1, 1)
    [batch] = await select(database, "SELECT status FROM wtb_batch_tests")
    assert batch["status"] == "completed"


async def test_an_event_that_waits_for_its_next_try_is_released_when_that_is_wanted(
    stations: Stations,
) -> None:
    database = stations.platform.database
    await stations.start()
    await change(database, "UPDATE wtb_outbox SET available_at = now() + interval '1 hour'")
    await check(stations.platform, "stuck_events", dry_run=True)
    waits = "SELECT 1 FROM wtb_outbox WHERE available_at > now() + interval '1 minute'"
    assert len(await select(database, waits)) == 1, "a dry run changes nothing"
    await check(stations.platform, "stuck_events", dry_run=False)
    assert await select(database, waits) == []


async def test_a_dead_letter_is_found(stations: Stations) -> None:
    database = stations.platform.database
    await stations.start()
    await change(database, "UPDATE wtb_outbox SET dead_at = now(), last_error = 'no pool'")
    report = await check(stations.platform)
    [result] = [each for each in report.results if each.check == "dead_letters"]
    assert "no pool" in result.findings[0].detail
