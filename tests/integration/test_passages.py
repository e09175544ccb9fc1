"""On random graphs, whatever interrupts the way of a run leaves its end as it would have been."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from arranging import select
from forking import INPUT, begin_thread, fork
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langgraph.errors import GraphRecursionError
from passages import FAR, PAUSE, Travel, answers_to, root_nodes, travels
from random_graphs import EVERY_KIND, every_plan

from wtb_async.domain.execution import Breakpoints, Limits, PauseReason
from wtb_async.domain.run_request import RequestKind, RunRequest
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer
from wtb_async.infrastructure.postgres.database import Database

on_real_postgres = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def prove(url: str, plan: Sequence[str], proof: Callable[[Travel], Awaitable[None]]) -> None:
    async def run() -> None:
        async with travels(url, plan) as travel:
            await proof(travel)

    asyncio.run(run())


@on_real_postgres
@given(plan=every_plan)
@example(plan=list(EVERY_KIND))
def test_rolled_back_to_any_checkpoint_and_resumed_a_run_ends_as_it_did(
    database_url: str, plan: list[str]
) -> None:
    prove(database_url, plan, _back_to_every_checkpoint)


async def _back_to_every_checkpoint(travel: Travel) -> None:
    thread = await travel.begin()
    expected = await travel.finish(thread)
    places = await travel.timeline(thread)
    ends = await asyncio.gather(*(travel.from_checkpoint(thread, place.id) for place in places))
    assert len(places) > 2
    assert ends == [expected] * len(places)


@on_real_postgres
@given(plan=every_plan)
@example(plan=list(EVERY_KIND))
def test_a_run_that_pauses_at_every_boundary_ends_as_one_that_does_not(
    database_url: str, plan: list[str]
) -> None:
    prove(database_url, plan, _pause_everywhere)


async def _pause_everywhere(travel: Travel) -> None:
    expected = await travel.finish(await travel.begin())
    paused = replace(travel, outcomes=[], on_node=lambda signals, _: signals.ask(PAUSE))
    thread = await paused.begin()
    assert await paused.finish(thread) == expected
    timeline = await travel.timeline(thread)
    boundaries = {place.id for place in timeline if place.step > 0 and place.next_nodes}
    assert boundaries <= {outcome.checkpoint_id for outcome in paused.outcomes}


@on_real_postgres
@given(plan=every_plan)
@example(plan=list(EVERY_KIND))
def test_a_pause_that_waits_for_a_node_is_granted_before_it_and_changes_nothing_else(
    database_url: str, plan: list[str]
) -> None:
    prove(database_url, plan, _pause_at_every_node)


async def _pause_at_every_node(travel: Travel) -> None:
    expected = await travel.finish(await travel.begin())
    nodes = root_nodes(travel.graph)
    ends = await asyncio.gather(*(_pause_at(replace(travel, outcomes=[]), n) for n in nodes))
    assert ends == [expected] * len(nodes)


async def _pause_at(travel: Travel, node: str) -> object:
    asked = RunRequest(kind=RequestKind.PAUSE, at_node=node)
    thread = await travel.begin(request=asked)
    while travel.outcomes[-1].pause_reason is PauseReason.INTERRUPT:
        await travel.answer(thread, travel.outcomes[-1], answers_to(travel.outcomes[-1]))
        await travel.go_on(thread, asked)
    assert travel.outcomes[-1].pause_reason is PauseReason.COMMAND
    assert node in travel.outcomes[-1].next_nodes
    return await travel.finish(thread)


@on_real_postgres
@given(plan=every_plan)
@example(plan=list(EVERY_KIND))
def test_a_run_that_rests_before_and_after_every_node_ends_as_one_that_does_not(
    database_url: str, plan: list[str]
) -> None:
    prove(database_url, plan, _break_at_every_node)


async def _break_at_every_node(travel: Travel) -> None:
    expected = await travel.finish(await travel.begin())
    nodes = root_nodes(travel.graph)
    sides = [Breakpoints(before=(node,)) for node in nodes]
    sides += [Breakpoints(after=(node,)) for node in nodes]
    sides.append(Breakpoints(before=tuple(nodes), after=tuple(nodes)))
    broken = [replace(travel, breakpoints=each, outcomes=[]) for each in sides]
    ends = await asyncio.gather(*(_begin_and_finish(each) for each in broken))
    assert ends == [expected] * len(sides)
    for each in broken[: len(nodes)]:
        [node] = each.breakpoints.before
        rests = [o for o in each.outcomes if o.pause_reason is PauseReason.BREAKPOINT]
        assert rests
        assert all(node in outcome.next_nodes for outcome in rests)


async def _begin_and_finish(travel: Travel) -> object:
    return await travel.finish(await travel.begin())


@on_real_postgres
@given(plan=every_plan, kill_at=st.integers(0, 40), delay_ms=st.floats(0, 8))
@example(plan=list(EVERY_KIND), kill_at=12, delay_ms=1.0)
@example(plan=["ask_each", "nested"], kill_at=7, delay_ms=2.0)
def test_after_a_kill_the_successor_ends_as_the_run_would_have_and_repeats_nothing_finished(
    database_url: str, plan: list[str], kill_at: int, delay_ms: float
) -> None:
    prove(database_url, plan, lambda travel: _kill_and_take_over(travel, kill_at, delay_ms))


async def _kill_and_take_over(travel: Travel, kill_at: int, delay_ms: float) -> None:
    said: list[str] = []
    whole = replace(travel, outcomes=[], on_node=lambda _, line: said.append(line))
    expected = await whole.finish(await whole.begin())
    victim = Victim(travel, kill_at, delay_ms / 1000)
    thread = await victim.live()
    [successor_thread] = await fork(travel.database, thread)
    finished = await lines_written(travel.database, successor_thread)
    ran: list[str] = []
    successor = replace(travel, outcomes=[], on_node=lambda _, line: ran.append(line))
    await successor.run(successor_thread, resumes=True, input=dict(INPUT))
    assert await successor.finish(successor_thread) == expected
    # Graphs inside of others may say again what others have said.
    once = {line for line, times in Counter(said).items() if times == 1}
    assert not once & finished & set(ran)


class Victim:
    """A run that is killed some time after its n-th node began to be of use."""

    def __init__(self, travel: Travel, kill_at: int, delay: float) -> None:
        self._travel = replace(travel, outcomes=[], on_node=self._on_node)
        self._left = kill_at
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None

    async def live(self) -> UUID:
        """Run until killed, or to the end if there are too few nodes; answers the thread."""
        thread = await begin_thread(self._travel.database)
        self._task = asyncio.create_task(self._work(thread))
        with suppress(asyncio.CancelledError):
            await self._task
        return thread

    async def _work(self, thread: UUID) -> None:
        await self._travel.run(thread, input=dict(INPUT))
        await self._travel.finish(thread)

    def _on_node(self, _: object, line: str) -> None:
        del line
        self._left -= 1
        if self._left == 0:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._delay, self._kill)

    def _kill(self) -> None:
        assert self._task is not None
        self._task.cancel()


async def lines_written(database: Database, thread: UUID) -> set[str]:
    """What the nodes said whose results are in the thread."""
    rows = await select(database, WRITTEN, thread=str(thread))
    serde = StrictSerializer()
    return {line for row in rows for line in serde.loads_typed((row["type"], row["blob"]))}


WRITTEN = """
SELECT type, blob FROM checkpoint_writes WHERE thread_id = :thread AND channel = 'changes'
"""


@on_real_postgres
@given(
    plan=st.lists(st.sampled_from(["plain", "loop", "ask", "parallel", "send"]), min_size=1),
    limit=st.integers(1, 20),
    pauses=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_however_a_run_is_split_it_reaches_its_recursion_limit_where_a_whole_run_does(
    database_url: str, plan: list[str], limit: int, pauses: list[bool]
) -> None:
    prove(database_url, plan, lambda travel: _limit(travel, limit, pauses))


async def _limit(travel: Travel, limit: int, pauses: Sequence[bool]) -> None:
    travel = replace(travel, limits=Limits(recursion_limit=limit))
    steps = iter(pauses)
    split = replace(
        travel,
        outcomes=[],
        on_node=lambda signals, _: signals.ask(PAUSE) if next(steps, True) else None,
    )
    whole = await exceeds(replace(travel, outcomes=[]))
    assert whole == (await steps_to_the_end(travel) >= limit)
    assert await exceeds(split) == whole


async def exceeds(travel: Travel) -> bool:
    try:
        await travel.finish(await travel.begin())
    except GraphRecursionError:
        return True
    return False


async def steps_to_the_end(travel: Travel) -> int:
    far = replace(travel, limits=FAR, outcomes=[])
    thread = await far.begin()
    await far.finish(thread)
    newest, *_ = await far.timeline(thread)
    return newest.step
