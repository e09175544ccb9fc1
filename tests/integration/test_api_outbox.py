"""Who looks after the outbox sees what waits, and has delivered what was given up."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from arranging import change, select
from command_routes import Bed
from served_api import Caller, fields_of, problem_of

from wtb_async.application.ids import new_id
from wtb_async.domain.events import Aggregate, Change, DomainEvent, RunnerLost, WorkflowChanged
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.outbox import OutboxQueries

LETTERS = "/outbox/dead-letters"


async def record(database: Database, aggregate_id: UUID, *events: DomainEvent) -> list[int]:
    """Write events of one object; answers their numbers."""
    changes = [
        Change(
            aggregate=Aggregate.WORKFLOW,
            aggregate_id=aggregate_id,
            version=version,
            event=event,
            actor="test",
        )
        for version, event in enumerate(events, 1)
    ]
    async with database.unit_of_work() as uow:
        uow.journal.record(*changes)
        await uow.commit()
    rows = await select(
        database,
        "SELECT id FROM wtb_outbox WHERE aggregate_id = :id ORDER BY id",
        id=aggregate_id,
    )
    return [row["id"] for row in rows]


def news(change: str = "something") -> WorkflowChanged:
    return WorkflowChanged(name="letters", change=change)


async def claimable(bed: Bed) -> list[int]:
    """The open events of the bed's workflow that a relay gets now; it gives them back."""
    async with bed.served.unit_of_work() as uow:
        events = await uow.outbox.claim(10_000, 30.0)
    return [each.sequence for each in events if each.aggregate_id == bed.letters.id]


async def replay(bed: Bed, event_id: int) -> Any:  # noqa: ANN401 - any answer
    return await bed.caller.post(f"{LETTERS}/{event_id}/replay")


async def replays_of(bed: Bed) -> list[dict[str, Any]]:
    return await select(
        bed.served,
        "SELECT command.payload FROM wtb_commands AS command JOIN wtb_audit_log AS entry"
        " ON entry.command_id = command.id AND entry.action = 'EventReplayed'"
        " WHERE kind = 'replay' AND target_id = :id",
        id=bed.letters.id,
    )


async def test_everything_in_the_outbox_is_counted_once(database: Database) -> None:
    [old, sent, dead] = await record(database, new_id(), news(), RunnerLost(name="r"), news())
    async with database.unit_of_work() as uow:
        assert len(await uow.outbox.claim(100, 30.0)) == 3
        await uow.outbox.mark_sent([sent])
        await uow.outbox.mark_failed([dead], "told to fail", retry_in_seconds=None)
        await uow.commit()
    await record(database, new_id(), news())
    await change(
        database,
        "UPDATE wtb_outbox SET created_at = created_at - interval '1 hour' WHERE id = :id",
        id=old,
    )
    stats = await OutboxQueries(database.engine).stats()
    assert (stats.open, stats.claimed, stats.sent_per_minute, stats.dead_letters) == (2, 1, 1, 1)
    assert stats.oldest_open_ms is not None
    assert stats.oldest_open_ms >= 3_600_000
    of_news = stats.by_type["WorkflowChanged"]
    assert (of_news.open, of_news.claimed, of_news.dead_letters) == (2, 1, 1)
    assert stats.by_type["RunnerLost"].sent_per_minute == 1


async def test_an_empty_outbox_has_nothing_old_in_it(database: Database) -> None:
    stats = await OutboxQueries(database.engine).stats()
    assert (stats.open, stats.oldest_open_ms, stats.by_type) == (0, None, {})


async def test_what_was_sent_long_ago_is_not_counted(database: Database) -> None:
    [event] = await record(database, new_id(), news())
    await change(
        database,
        "UPDATE wtb_outbox SET sent_at = clock_timestamp() - interval '61 seconds' WHERE id = :id",
        id=event,
    )
    assert (await OutboxQueries(database.engine).stats()).by_type == {}


async def test_the_counts_are_there_over_rest(bed: Bed) -> None:
    await bed.dead_letter()
    stats = (await bed.caller.get("/outbox/stats")).json()
    assert stats["dead_letters"] >= 1
    assert stats["by_type"]["WorkflowChanged"]["dead_letters"] >= 1


async def test_dead_letters_are_listed_newest_first(bed: Bed) -> None:
    first, second = [await bed.dead_letter(number) for number in (7, 8)]
    page = (await bed.caller.get(LETTERS, limit=1)).json()
    [newest] = page["items"]
    assert (newest["id"], newest["last_error"]) == (second, "told to fail")
    assert (newest["target_type"], newest["target_id"]) == ("workflow", str(bed.letters.id))
    assert newest["data"] == {"name": bed.letters.name, "change": "something"}
    following = (await bed.caller.get(LETTERS, limit=1, cursor=page["next_cursor"])).json()
    assert [each["id"] for each in following["items"]] == [first]


async def test_a_replayed_event_goes_out_before_those_that_follow_it(bed: Bed) -> None:
    first, _, last = await record(bed.served, bed.letters.id, news("a"), news("b"), news("c"))
    await bed.bury(first)
    await bed.bury(last)
    assert await claimable(bed) == [2]
    answer = await replay(bed, first)
    assert (answer.status_code, answer.json()["dead_at"]) == (202, None)
    assert answer.json()["attempts"] == 0
    assert await claimable(bed) == [1, 2]
    assert (await replay(bed, last)).status_code == 202
    assert await claimable(bed) == [1, 2, 3]


async def test_a_dead_letter_does_not_overtake_an_earlier_one(bed: Bed) -> None:
    first, second = [await bed.dead_letter(number) for number in (1, 2)]
    problem = problem_of(await replay(bed, second), 409, "conflict")
    assert f"dead letter {first} " in problem["detail"]
    assert await claimable(bed) == []
    assert await replays_of(bed) == []


async def test_many_who_replay_one_dead_letter_replay_it_once(bed: Bed) -> None:
    event = await bed.dead_letter()
    answers = await asyncio.gather(*(replay(bed, event) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert await replays_of(bed) == [{"payload": {"event_id": event, "type": "WorkflowChanged"}}]


async def test_what_has_been_delivered_since_is_not_delivered_again(bed: Bed) -> None:
    event = await bed.dead_letter()
    await replay(bed, event)
    async with bed.served.unit_of_work() as uow:
        await uow.outbox.mark_sent([event])
        await uow.commit()
    again = await replay(bed, event)
    assert again.status_code == 202
    assert again.json()["sent_at"] is not None
    await bed.bury(event)
    assert (await replay(bed, event)).json()["dead_at"] is None
    assert await claimable(bed) == []


@pytest.mark.parametrize("exists", [True, False])
async def test_only_what_has_failed_can_be_replayed(bed: Bed, exists: bool) -> None:
    [event] = await record(bed.served, bed.letters.id, news())
    missing = event if exists else 2**62
    problem_of(await replay(bed, missing), 404, "not_found")


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**63)])
async def test_a_number_that_no_event_has_is_refused(caller: Caller, number: str) -> None:
    assert fields_of(await caller.post(f"{LETTERS}/{number}/replay")) == ["event_id"]
