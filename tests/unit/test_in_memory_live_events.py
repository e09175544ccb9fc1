"""Live events that stay in this process: numbered by run, kept for a while."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import pytest
from factories import claimed_run

from wtb_async.application.ids import new_id
from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.event_position import EventPosition
from wtb_async.infrastructure.in_process import live_events
from wtb_async.infrastructure.in_process.live_events import InMemoryLiveEvents


class Told:
    """Who has news."""

    def __init__(self) -> None:
        self.ids: list[UUID] = []

    def announce(self, ids: Iterable[UUID]) -> None:
        self.ids += ids


def in_memory(told: Told, kept: int = 10) -> InMemoryLiveEvents:
    return InMemoryLiveEvents(max_value_bytes=100, kept_events=kept, announce=told.announce)


async def show(live: InMemoryLiveEvents, run: ClaimedRun, *values: str) -> None:
    async with live.of_run(run) as feed:
        assert feed is not None
        for value in values:
            feed.put("CustomStreamed", b'"%s"' % value.encode())


async def shown(live: InMemoryLiveEvents, run: ClaimedRun, after: str) -> list[tuple[str, object]]:
    found = await live.after(run.execution_id, EventPosition.parse(after), limit=100)
    assert [f"{run.execution_version}-{number}" for number, _ in found] == [e.id for _, e in found]
    return [(event.id, event.data) for _, event in found]


async def test_a_run_without_stream_modes_shows_nothing() -> None:
    async with in_memory(Told()).of_run(claimed_run()) as feed:
        assert feed is None


async def test_events_are_numbered_within_their_run_and_told_of() -> None:
    told = Told()
    live, run = in_memory(told), claimed_run(stream=("custom",))
    await show(live, run, "a", "b")
    await show(live, run, "c")  # The same run, driven again.
    assert await shown(live, run, "2") == [("2-1", "a"), ("2-2", "b"), ("2-3", "c")]
    assert await shown(live, run, "2-2") == [("2-3", "c")]
    assert told.ids == [run.execution_id] * 3


async def test_the_next_run_of_an_execution_counts_anew() -> None:
    live, first = in_memory(Told()), claimed_run(stream=("custom",))
    second = replace(first, id=new_id(), execution_version=5)
    await show(live, first, "a")
    await show(live, second, "b")
    assert await shown(live, second, "5") == [("5-1", "b")]
    assert await shown(live, first, "2") == [("2-1", "a")]


async def test_only_the_newest_events_are_kept() -> None:
    live, run = in_memory(Told(), kept=2), claimed_run(stream=("custom",))
    await show(live, run, "a", "b", "c")
    assert await shown(live, run, "2") == [("2-2", "b"), ("2-3", "c")]


async def test_executions_of_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_events, "KEPT_EXECUTIONS", 2)
    live, runs = in_memory(Told()), [claimed_run(stream=("custom",)) for _ in range(3)]
    for run in runs:
        await show(live, run, "a")
    assert [len(await shown(live, run, "2")) for run in runs] == [0, 1, 1]
