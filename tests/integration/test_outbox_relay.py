"""The relay: in order per aggregate, at least once, whoever fails and however many there are."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from arranging import change, select

from wtb_async.application.ids import new_id
from wtb_async.application.outbox.relay_outbox import RelayOptions, relay_outbox
from wtb_async.application.outbox.routing import Deliveries
from wtb_async.domain.errors import TransientError
from wtb_async.domain.events import (
    Aggregate,
    Change,
    DomainEvent,
    ExecutionCreated,
    OutboxEvent,
    WorkflowChanged,
)
from wtb_async.infrastructure.postgres.database import Database

OPTIONS = RelayOptions(
    chunk_size=500, claim_for=30.0, max_attempts=100, backoff=0.001, backoff_limit=0.002
)
NEWS = WorkflowChanged(name="letters", change="something")


class Post:
    """A delivery service that keeps what it got, and fails when it is told to."""

    def __init__(self, *, failing: bool = False) -> None:
        self.failing = failing
        self.delivered: list[Deliveries] = []

    async def deliver(self, deliveries: Deliveries) -> None:
        if self.failing:
            raise TransientError("told to fail")
        self.delivered.append(deliveries)


async def record(database: Database, *changes: tuple[UUID, int], event: DomainEvent = NEWS) -> None:
    """Write events, `(aggregate id, sequence)` each, in this order."""
    async with database.unit_of_work() as uow:
        uow.journal.record(
            *(
                Change(
                    aggregate=Aggregate.WORKFLOW,
                    aggregate_id=aggregate_id,
                    version=sequence,
                    event=event,
                    actor="test",
                )
                for aggregate_id, sequence in changes
            )
        )
        await uow.commit()


async def claim(database: Database, limit: int = 100, seconds: float = 30.0) -> list[OutboxEvent]:
    async with database.unit_of_work() as uow:
        events = await uow.outbox.claim(limit, seconds)
        await uow.commit()
    return events


def places(events: Sequence[OutboxEvent]) -> list[tuple[UUID, int]]:
    return [(event.aggregate_id, event.sequence) for event in events]


async def mark_sent(database: Database, events: Sequence[OutboxEvent]) -> None:
    async with database.unit_of_work() as uow:
        await uow.outbox.mark_sent([event.id for event in events])
        await uow.commit()


async def fail(
    database: Database, events: Sequence[OutboxEvent], *, retry_in: float | None = 60.0
) -> None:
    async with database.unit_of_work() as uow:
        ids = [event.id for event in events]
        await uow.outbox.mark_failed(ids, "told to fail", retry_in_seconds=retry_in)
        await uow.commit()


async def open_count(database: Database) -> int:
    [row] = await select(
        database,
        "SELECT count(*) AS n FROM wtb_outbox WHERE sent_at IS NULL AND dead_at IS NULL",
    )
    return int(row["n"])


Place = tuple[UUID, int]
"""An aggregate, and the sequence number of one of its events."""


@dataclass
class UnreliableRelay:
    """Relays that share a log; a delivery arrives whole, in part or not at all."""

    database: Database
    dice: random.Random
    log: list[Place] = field(default_factory=list)
    lost: Counter[Place] = field(default_factory=Counter)
    """How often each event was delivered although its relay reported a failure."""

    async def work(self) -> None:
        while await open_count(self.database):
            events = await claim(self.database, limit=self.dice.randint(1, 40))
            await asyncio.sleep(self.dice.random() * 0.003)
            if self.dice.random() < 0.7:
                self.log += places(events)
                await asyncio.sleep(self.dice.random() * 0.003)
                await mark_sent(self.database, events)
            else:
                reached = places(events)[: self.dice.randint(0, len(events))]
                self.log += reached
                self.lost.update(reached)
                await fail(self.database, events, retry_in=self.dice.random() * 0.01)


def random_history(dice: random.Random) -> list[Place]:
    """Twelve aggregates mixed, each with its events in order."""
    turns = [aggregate for aggregate in [new_id() for _ in range(12)] for _ in range(30)]
    dice.shuffle(turns)
    seen: Counter[UUID] = Counter()
    history = []
    for aggregate in turns:
        seen[aggregate] += 1
        history.append((aggregate, seen[aggregate]))
    return history


@pytest.mark.parametrize("seed", range(3))
async def test_four_relays_that_fail_at_random_keep_the_order_of_every_aggregate(
    database: Database, seed: int
) -> None:
    relay = UnreliableRelay(database, random.Random(seed))  # noqa: S311 - disorder, not a secret
    events = random_history(relay.dice)
    await record(database, *events)
    await asyncio.gather(*(relay.work() for _ in range(4)))
    for aggregate in dict(events):
        first_deliveries = list(dict.fromkeys(p for p in relay.log if p[0] == aggregate))
        assert first_deliveries == [place for place in events if place[0] == aggregate]
    assert relay.lost, "the test must have seen failures"
    assert Counter(relay.log) == Counter(events) + relay.lost


async def test_an_event_waits_for_the_one_before_it(database: Database) -> None:
    one, other = new_id(), new_id()
    await record(database, (one, 1), (other, 1), (one, 2), (other, 2))
    first = await claim(database, limit=1)
    assert places(first) == [(one, 1)]
    assert places(await claim(database)) == [(other, 1), (other, 2)]
    assert await claim(database) == []
    await mark_sent(database, first)
    assert places(await claim(database)) == [(one, 2)]


async def test_an_aggregate_that_waits_to_retry_does_not_block_the_others(
    database: Database,
) -> None:
    blocked, free = new_id(), new_id()
    await record(database, (blocked, 1))
    await fail(database, await claim(database))
    await record(database, (blocked, 2), (free, 1), (blocked, 3), (free, 2))
    assert places(await claim(database)) == [(free, 1), (free, 2)]


async def test_more_blocked_events_than_a_chunk_holds_do_not_block_the_others(
    database: Database,
) -> None:
    blocked, free = new_id(), new_id()
    await record(database, (blocked, 1))
    await fail(database, await claim(database))
    await record(database, *((blocked, sequence) for sequence in range(2, 8)), (free, 1))
    assert places(await claim(database, limit=3)) == [(free, 1)]


async def test_a_dead_event_lets_its_successors_go(database: Database) -> None:
    aggregate = new_id()
    await record(database, (aggregate, 1), (aggregate, 2))
    await fail(database, await claim(database, limit=1), retry_in=None)
    assert places(await claim(database)) == [(aggregate, 2)]
    [dead] = await select(
        database,
        "SELECT attempts, last_error, dead_at IS NOT NULL AS dead FROM wtb_outbox"
        " WHERE sequence = 1",
    )
    assert tuple(dead.values()) == (1, "told to fail", True)


async def test_a_claim_that_is_never_marked_comes_back(database: Database) -> None:
    aggregate = new_id()
    await record(database, (aggregate, 1))
    assert [event.attempts for event in await claim(database, seconds=30.0)] == [1]
    assert await claim(database) == []
    await change(
        database, "UPDATE wtb_outbox SET available_at = available_at - interval '30 seconds'"
    )
    assert [event.attempts for event in await claim(database)] == [2]


async def test_the_relay_delivers_once_and_marks_sent(database: Database) -> None:
    aggregate, post = new_id(), Post()
    await record(database, (aggregate, 1), (aggregate, 2))
    assert await relay_outbox(database.unit_of_work, post, OPTIONS) == 2
    assert await relay_outbox(database.unit_of_work, post, OPTIONS) == 0
    assert [delivery.news for delivery in post.delivered] == [(aggregate,)]
    assert await open_count(database) == 0


async def test_runs_reach_the_pool_that_their_event_names(database: Database) -> None:
    post = Post()
    await record(database, (new_id(), 1), event=ExecutionCreated(pool="gpu"))
    await relay_outbox(database.unit_of_work, post, OPTIONS)
    assert post.delivered[0].pools == ("gpu",)


async def test_a_failed_delivery_is_tried_again_after_a_growing_while(database: Database) -> None:
    await record(database, (new_id(), 1))
    options = RelayOptions(
        chunk_size=10, claim_for=30.0, max_attempts=5, backoff=10.0, backoff_limit=30.0
    )
    waits = []
    for _ in range(4):
        await relay_outbox(database.unit_of_work, Post(failing=True), options)
        [row] = await select(database, WAIT)
        waits.append(round(row["seconds"], -1))
        await change(database, "UPDATE wtb_outbox SET available_at = clock_timestamp()")
    assert waits == [10, 20, 30, 30]


WAIT = """
SELECT extract(epoch FROM available_at - clock_timestamp())::float AS seconds, last_error
FROM wtb_outbox
"""


async def test_an_event_that_cannot_be_routed_dies_and_takes_no_other_with_it(
    database: Database,
) -> None:
    poisoned, fine, post = new_id(), new_id(), Post()
    await record(database, (poisoned, 1), event=ExecutionCreated(pool="default"))
    await change(database, "UPDATE wtb_outbox SET data = '{}'")
    await record(database, (fine, 1), (poisoned, 2))
    while await relay_outbox(database.unit_of_work, post, OPTIONS):
        pass
    rows = await select(database, "SELECT sequence, dead_at FROM wtb_outbox ORDER BY id")
    assert [row["dead_at"] is not None for row in rows] == [True, False, False]
    assert {aggregate for item in post.delivered for aggregate in item.news} == {
        poisoned,
        fine,
    }


async def test_after_its_last_attempt_an_event_is_a_dead_letter(database: Database) -> None:
    await record(database, (new_id(), 1))
    options = RelayOptions(
        chunk_size=10, claim_for=30.0, max_attempts=2, backoff=0.0, backoff_limit=0.0
    )
    claimed = [
        await relay_outbox(database.unit_of_work, Post(failing=True), options) for _ in range(3)
    ]
    assert claimed == [1, 1, 0]
    [row] = await select(database, "SELECT attempts, last_error, dead_at FROM wtb_outbox")
    assert row["dead_at"] is not None
    assert (row["attempts"], row["last_error"]) == (2, "TransientError('told to fail')")
