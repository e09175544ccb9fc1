"""Variant matrices over random graphs, run to their end by runners that may be lost at any time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any
from uuid import UUID

from arranging import register, register_runner, select
from groups import Choice, accept_group
from random_graphs import Graph, State, build_plan
from savers import group_commit_saver, on

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.resume_execution import ResumeExecution, resume_execution
from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.application.runs.settle_runs import settle_runs
from wtb_async.application.runs.signals import RunSignals
from wtb_async.domain.errors import TransientError
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, ExecutionStatus, Limits
from wtb_async.domain.workflow import BASE_VARIANT, decided
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.langgraph.engine import LangGraphEngine
from wtb_async.infrastructure.langgraph.gates import close_gates
from wtb_async.infrastructure.langgraph.graph_cache import LoadedGraph
from wtb_async.infrastructure.langgraph.node_boundaries import observe_nodes
from wtb_async.infrastructure.langgraph.node_replacement import (
    Compiled,
    Replacement,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.workspace_settings import DEFAULT_WORKSPACE
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries
from wtb_async.settings import asyncpg_url

INPUT: State = {"item": "x", "log": [], "changes": ["input"]}


def choices_of(matrix: dict[str, list[str]]) -> list[Choice]:
    """Every combination."""
    return [dict(zip(matrix, names, strict=True)) for names in product(*matrix.values())]


class VariedGraphs:
    """The graphs of runs: a plan's, with nodes that sign what they say in place of some."""

    def __init__(self, builder: Graph, saver: GroupCommitSaver) -> None:
        self._builder = builder
        self._saver = saver

    async def get(self, run: ClaimedRun) -> LoadedGraph:
        """As the cache of a runner makes it."""
        graph = replace_nodes(
            self._builder,
            {
                node: Replacement(name, signing(name, self._builder.nodes[node].runnable))
                for node, name in decided(run.variants).items()
            },
        ).compile(checkpointer=self._saver)
        observed = observe_nodes(graph, self._saver.boundaries, max_value_bytes=1000)
        return LoadedGraph(close_gates(observed, run.gates), DEFAULT_WORKSPACE)


def signing(name: str, node: Any) -> Callable[[State], Any]:  # noqa: ANN401 - of LangGraph
    """A variant that adds its name to each line, and says twice what it has to say if it is loud.

    A loop around a loud node has fewer rounds.
    """

    # A node answers what it adds; a whole graph as a node, all that it has seen.
    is_graph = hasattr(node, "nodes")

    async def signed(state: State) -> State:
        result = await node.ainvoke(state)
        old = len(state.get("log", [])) if is_graph else 0
        lines = [f"{line} @{name}" for line in result["log"][old:]]
        lines *= 2 if name == "loud" else 1
        return {"log": lines, "changes": lines}

    return signed


class Deaf:
    """Nobody needs to be woken: whoever runs matrices looks for runs itself."""

    def new_events(self) -> None:
        """There are new events."""

    def new_runs(self, pool: str) -> None:
        """There are new runs."""

    def new_requests(self, pool: str) -> None:
        """There are new requests."""

    def new_scores(self, batch_id: UUID) -> None:
        """There are new scores."""


@dataclass(frozen=True)
class Story:
    """All that an execution shows in the end."""

    status: str
    output: Any
    error: Any
    questions: int
    history: list[Any]
    boundaries: Counter[tuple[str, str]]


@dataclass
class Matrix:
    """Runs matrices on one graph; `loses` says, run by run, when its runner is lost."""

    database: Database
    graphs: VariedGraphs
    engine: LangGraphEngine
    graph: Compiled
    limits: Limits = field(default_factory=Limits)
    breakpoints: Breakpoints = NO_BREAKPOINTS
    loses: Callable[[], str | None] = lambda: None
    """Before the run, within it, or after it and before it is settled; None: not at all."""

    async def run(self, choices: Sequence[Choice], *, share: bool) -> list[UUID]:
        """Accept the choices and run them to their end, answering all questions."""
        workflow = await register(self.database.unit_of_work, f"plan {len(choices)} {utc_now()}")
        ids = await accept_group(
            self.database,
            workflow,
            choices,
            {**INPUT},
            limits=self.limits,
            breakpoints=self.breakpoints,
            share=share,
        )
        while await self._work() or await self._resume(ids):
            pass
        return ids

    async def stories(self, ids: Sequence[UUID]) -> list[Story]:
        """What each execution shows."""
        return [await self._story(execution_id) for execution_id in ids]

    async def visits(self, ids: Sequence[UUID]) -> int:
        """How many boundaries these executions have, shared ones counted once."""
        queries = NodeBoundaryQueries(self.database.engine)
        pages = [await queries.list(each, limit=1000, cursor=None) for each in ids]
        return len({(b.task_id, b.attempt, b.started_at) for page in pages for b in page.items})

    async def _work(self) -> bool:
        """A round of a runner's life; tells whether there was anything to do."""
        uow_factory = self.database.unit_of_work
        runner = await register_runner(uow_factory)
        async with uow_factory() as uow:
            runs = await uow.runs.claim_pending(runner, "default", 100)
            await uow.commit()
        slots = asyncio.Semaphore(8)
        ends = await asyncio.gather(*(self._drive(run, slots) for run in runs))
        async with uow_factory() as uow:
            await settle_runs(runner, [end for end in ends if end], uow)
            await uow.commit()
        await reap_lost_runners(uow_factory, lease_seconds=0)
        return bool(runs)

    async def _drive(self, run: ClaimedRun, slots: asyncio.Semaphore) -> RunOutcome | None:
        moment = self.loses()
        if moment == "before":
            return None
        async with slots:
            driving = asyncio.create_task(self._drive_until_done(run))
            if moment == "within":
                await asyncio.sleep(0.02)
                driving.cancel()
            [outcome] = await asyncio.gather(driving, return_exceptions=True)
        if isinstance(outcome, asyncio.CancelledError) or moment == "after":
            return None
        assert isinstance(outcome, RunOutcome), outcome
        return outcome

    async def _drive_until_done(self, run: ClaimedRun) -> RunOutcome:
        """Cancelling one run may cut off what another one reads."""
        while True:
            try:
                return await self.engine.drive(run, RunSignals())
            except TransientError:
                run = replace(run, resumes=True)

    async def _resume(self, ids: Sequence[UUID]) -> bool:
        """Let all that are paused go on; tells whether there were any."""
        paused = [e for e in await self._read(ids) if e.status is ExecutionStatus.PAUSED]
        for execution in paused:
            asked = [q for q in execution.interrupts if q["kind"] == "interrupt"]
            answers: Any = {str(q["id"]): f"re {q['value']}" for q in asked}
            await resume_execution(
                ResumeExecution(execution_id=execution.id, caller="test", answers=answers or None),
                uow_factory=self.database.unit_of_work,
                nudges=Deaf(),
            )
        return bool(paused)

    async def _read(self, ids: Sequence[UUID]) -> list[ExecutionView]:
        queries = ExecutionQueries(self.database.engine)
        return [await queries.get(each) for each in ids]

    async def _story(self, execution_id: UUID) -> Story:
        [execution] = await self._read([execution_id])
        queries = NodeBoundaryQueries(self.database.engine)
        boundaries = (await queries.list(execution_id, limit=1000, cursor=None)).items
        events = await select(
            self.database,
            "SELECT sequence, type FROM wtb_outbox WHERE aggregate_id = :id ORDER BY id",
            id=execution_id,
        )
        assert [each["sequence"] for each in events] == list(range(2, execution.version + 1))
        if execution.status is ExecutionStatus.COMPLETED:
            assert all(b.exit_checkpoint_id for b in boundaries if b.status == "completed")
        types = Counter(each["type"] for each in events)
        return Story(
            status=execution.status.value,
            output=execution.output,
            error=execution.error,
            questions=types["ExecutionPaused"],
            history=[
                (state.metadata and state.metadata["step"], state.next, state.values)
                async for state in self.graph.aget_state_history(on(str(execution.thread_id)))
            ],
            boundaries=Counter((b.node, b.status.value) for b in boundaries),
        )


@asynccontextmanager
async def matrices(
    url: str,
    plan: Sequence[str],
    **settings: Any,  # noqa: ANN401 - of a matrix
) -> AsyncIterator[Matrix]:
    """Matrices on a graph of this plan, with an engine of their own."""
    database = open_database(asyncpg_url(url), pool_size=4, application_name="test")
    try:
        async with group_commit_saver(url) as saver:
            builder = build_plan(plan)
            graphs: Any = VariedGraphs(builder, saver)
            matrix = Matrix(
                database,
                graphs,
                LangGraphEngine(graphs, saver, Silent()),
                builder.compile(checkpointer=saver),
            )
            yield replace(matrix, **settings)
    finally:
        await database.close()


class Silent:
    """Nobody watches."""

    @asynccontextmanager
    async def of_run(self, run: ClaimedRun) -> AsyncIterator[None]:
        """No sink."""
        assert not run.stream
        yield


def root_nodes(plan: Sequence[str]) -> list[str]:
    """The nodes that can have variants."""
    return list(build_plan(plan).nodes)


ALL_VARIANTS = (BASE_VARIANT, "calm", "loud")
