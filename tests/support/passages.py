"""Runs of random graphs as a runner drives them, without the rows of an execution."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

from forking import INPUT, begin_thread, fork
from random_graphs import ON_NODE, build_plan
from savers import group_commit_saver, on

from wtb_async.application.ids import new_id
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.signals import RunSignals
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, Limits, PauseReason
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.run import RunStatus
from wtb_async.domain.run_request import RequestKind, RunRequest, StateEdit
from wtb_async.infrastructure.checkpoints.answers import answer_interrupts
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.passage import Passage
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import asyncpg_url

PAUSE = RunRequest(kind=RequestKind.PAUSE)
FAR = Limits(recursion_limit=200)


class RootCheckpoint(NamedTuple):
    """A moment of a timeline."""

    id: str
    step: int
    next_nodes: tuple[str, ...]


@dataclass(frozen=True)
class Travel:
    """How one timeline of a graph is driven."""

    database: Database
    saver: GroupCommitSaver
    graph: Compiled
    limits: Limits = FAR
    breakpoints: Breakpoints = NO_BREAKPOINTS
    on_node: Callable[[RunSignals, str], None] = lambda *_: None
    """Told when a node runs, from its thread, with the signals of its run."""
    outcomes: list[RunOutcome] = field(default_factory=list)
    """How each run ended, in order."""

    async def begin(self, given: Any = INPUT, request: RunRequest | None = None) -> UUID:  # noqa: ANN401
        """Run a new thread from an input until it rests; answers the thread."""
        thread = await begin_thread(self.database)
        await self.run(thread, request, input=dict(given))
        return thread

    async def run(
        self,
        thread: UUID,
        request: RunRequest | None = None,
        **details: Any,  # noqa: ANN401 - of any field
    ) -> RunOutcome:
        """Drive one run until it rests; `details` are of the claimed run."""
        run = claimed_run(thread, limits=self.limits, breakpoints=self.breakpoints, **details)
        signals = RunSignals(request)
        passage = Passage(self.graph, self.saver, run, signals, None, perf_counter())
        token = ON_NODE.set(partial(self.on_node, signals))
        try:
            self.outcomes.append(outcome := await passage.go())
        finally:
            ON_NODE.reset(token)
        return outcome

    async def go_on(
        self,
        thread: UUID,
        request: RunRequest | None = None,
        *,
        edit: StateEdit | None = None,
    ) -> RunOutcome:
        """Resume where the last run came to rest."""
        last = self.outcomes[-1].checkpoint_id
        return await self.run(thread, request, resumes=True, from_checkpoint_id=last, edit=edit)

    async def finish(self, thread: UUID) -> dict[str, Any]:
        """Resume, and answer what is asked, until the graph ends; answers the final state."""
        while self.outcomes[-1].status is not RunStatus.COMPLETED:
            outcome = self.outcomes[-1]
            assert outcome.status is RunStatus.PAUSED
            if outcome.pause_reason is PauseReason.INTERRUPT:
                await self.answer(thread, outcome, answers_to(outcome))
            await self.go_on(thread)
        return final_state(self.outcomes[-1])

    async def answer(
        self,
        thread: UUID,
        outcome: RunOutcome,
        answers: JsonObject,
        values: JsonObject | None = None,
    ) -> None:
        """Answer as resuming an execution does."""
        assert outcome.checkpoint_id is not None
        async with self.database.engine.begin() as connection:
            await answer_interrupts(
                connection, thread, outcome.checkpoint_id, answers, values or {}
            )

    async def timeline(self, thread: UUID) -> list[RootCheckpoint]:
        """Its root checkpoints, newest first."""
        return [
            RootCheckpoint(
                state.config["configurable"]["checkpoint_id"],
                (state.metadata or {})["step"],
                state.next,
            )
            async for state in self.graph.aget_state_history(on(str(thread)))
        ]

    async def from_checkpoint(self, source: UUID, checkpoint_id: str) -> dict[str, Any]:
        """Roll back to a checkpoint and resume to the end; answers the final state."""
        [thread] = await fork(self.database, source, checkpoint_id, keeps_writes=False)
        back = Travel(self.database, self.saver, self.graph, self.limits, self.breakpoints)
        await back.run(thread, resumes=True, from_checkpoint_id=checkpoint_id)
        return await back.finish(thread)


def answers_to(outcome: RunOutcome) -> dict[str, JsonValue]:
    """An answer to each open question, the same for the same question."""
    return {
        asked["id"]: f"re {asked['value']}"
        for asked in outcome.interrupts
        if asked["kind"] == "interrupt"
    }


def final_state(outcome: RunOutcome) -> dict[str, Any]:
    """What the graph gave in the end."""
    assert outcome.status is RunStatus.COMPLETED
    assert isinstance(outcome.output, dict)
    return outcome.output


def root_nodes(graph: Compiled) -> list[str]:
    """The nodes that commands can name."""
    return [name for name in graph.nodes if not name.startswith("__")]


@asynccontextmanager
async def travels(url: str, plan: Sequence[str]) -> AsyncIterator[Travel]:
    """A graph of this plan on a saver of its own."""
    database = open_database(asyncpg_url(url), pool_size=8, application_name="test")
    try:
        async with group_commit_saver(url) as saver:
            yield Travel(database, saver, build_plan(plan).compile(checkpointer=saver))
    finally:
        await database.close()


def claimed_run(thread: UUID, **details: Any) -> ClaimedRun:  # noqa: ANN401 - of any field
    """A run of this thread, as a runner has claimed it."""
    ordinary: dict[str, Any] = {
        "id": new_id(),
        "execution_id": new_id(),
        "execution_version": 2,
        "thread_id": thread,
        "timeline_id": thread,
        "workflow_id": new_id(),
        "workflow_version": 1,
        "variants": {},
        "workflow_variant": None,
        "attempt": 1,
        "input": {},
        "batch_test_id": None,
        "resumes": False,
    }
    return ClaimedRun(**ordinary | details)
