"""The way of one run through its graph: from where it goes on to where it comes to rest."""

from collections.abc import Collection
from time import perf_counter
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained, GraphRecursionError
from langgraph.runtime import RunControl
from langgraph.types import GraphOutput, StateSnapshot

from wtb_async.application.ports import LiveSink
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.signals import RunSignals
from wtb_async.domain.errors import WtbError
from wtb_async.domain.execution import PauseReason, RunError
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import RunStatus
from wtb_async.domain.run_request import RequestKind
from wtb_async.infrastructure.checkpoints.clock import advance_clock
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.checkpoints.thread_head import EDIT_KEY, ThreadHead
from wtb_async.infrastructure.langgraph.asked_before import ASKED, questions_of
from wtb_async.infrastructure.langgraph.breakpoints import hits, rests_inside, union, waits_for
from wtb_async.infrastructure.langgraph.event_bridge import invoke
from wtb_async.infrastructure.langgraph.gates import noting_gates
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.plain_json import message_of, plain_json
from wtb_async.infrastructure.workspaces.run_workspace import RunWorkspace

_STEPS_BEFORE_THE_FIRST = 2
"""LangGraph counts a resumed run's limit from one step after its head, and looks one step ahead."""


class Passage:
    """One invocation of a graph on one thread, which may take several calls of LangGraph."""

    def __init__(
        self,
        graph: Compiled,
        saver: GroupCommitSaver,
        run: ClaimedRun,
        signals: RunSignals,
        live: LiveSink | None,
        began: float,
        workspace: RunWorkspace | None = None,
    ) -> None:
        self._graph = graph
        self._saver = saver
        self._run = run
        self._signals = signals
        self._live = live
        self._began = began
        self._workspace = workspace
        self._before = union(graph.interrupt_before_nodes, run.breakpoints.before)
        self._after = union(graph.interrupt_after_nodes, run.breakpoints.after)
        self._asked_at: str | None = None
        self._may_exceed = False
        self._recursion_limit = run.limits.recursion_limit

    async def go(self) -> RunOutcome:
        """Go on from where the run stands until the graph rests."""
        run = self._run
        if not run.resumes:
            self._saver.expect_new(str(run.thread_id))
            return await self._begin()
        head = await self._saver.head(str(run.thread_id), str(run.edit.id) if run.edit else None)
        if head is None:
            return await self._begin()
        self._stand_at(head)
        try:
            edited = await self._apply_edit(head)
        except WtbError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever LangGraph or a reducer has against it
            refused = RunError(type(error).__name__, message_of(error))
            return self._paused(PauseReason.COMMAND, await self._snapshot(), refused)
        if run.edit is not None and run.edit.pauses:
            return self._paused(PauseReason.COMMAND, await self._snapshot())
        if not edited and (snapshot := await self._missed_breakpoint(head)):
            return self._paused(PauseReason.BREAKPOINT, snapshot)
        if head.has_asked and run.spent_ms is not None:
            ASKED.set(questions_of(await self._snapshot()))
        self._limit_supersteps(head.step)
        await self._open_workspace()
        return await self._invoke(None)

    def _stand_at(self, head: ThreadHead) -> None:
        advance_clock(head.newest_id)
        if self._workspace is not None:
            self._workspace.stand_at(head)

    async def _begin(self) -> RunOutcome:
        await self._open_workspace()
        return await self._invoke(self._run.input)

    async def _open_workspace(self) -> None:
        if self._workspace is not None:
            await self._workspace.open()

    async def _apply_edit(self, head: ThreadHead) -> bool:
        """Apply the edit unless an earlier attempt did; tells whether the thread stands at it."""
        edit = self._run.edit
        if edit is None:
            return False
        if head.edit_checkpoint_id is None:
            config = self._config() | {"metadata": {EDIT_KEY: str(edit.id)}}
            await self._graph.aupdate_state(config, edit.values, as_node=edit.as_node)
            return True
        return head.edit_checkpoint_id == head.checkpoint_id

    async def _missed_breakpoint(self, head: ThreadHead) -> StateSnapshot | None:
        """Where an earlier attempt was lost at a breakpoint, before anybody heard of it.

        LangGraph passes the breakpoints of the step that it resumes at, which is right only where
        somebody let the run go on.
        """
        if head.checkpoint_id == self._run.from_checkpoint_id or not (self._before or self._after):
            return None
        snapshot = await self._snapshot()
        if not snapshot.next:
            return None
        if hits(self._before, snapshot.next):
            return snapshot
        if not self._after or snapshot.parent_config is None:
            return None
        parent = await self._graph.aget_state(snapshot.parent_config)
        return snapshot if hits(self._after, parent.next) else None

    def _limit_supersteps(self, step: int) -> None:
        """Leave the run what its timeline has not used up. Raises GraphRecursionError."""
        limit = self._run.limits.recursion_limit
        if step >= limit - 1:
            raise self._exhausted()
        self._recursion_limit = max(1, limit - step - _STEPS_BEFORE_THE_FIRST)
        self._may_exceed = step > limit - 1 - _STEPS_BEFORE_THE_FIRST

    async def _invoke(self, graph_input: JsonObject | None) -> RunOutcome:
        """Run the graph; a pause that is asked for at a later node makes another call of it."""
        while True:
            control = RunControl()
            try:
                with self._signals.heard_by(control.request_drain), noting_gates() as reached:
                    result = await invoke(
                        self._graph,
                        graph_input,
                        self._config(),
                        live=self._live,
                        durability="sync",
                        interrupt_before=self._before or None,
                        interrupt_after=self._after or None,
                        control=control,
                    )
            except GraphDrained:
                if outcome := await self._grant_request():
                    return outcome
                graph_input = None
            except GraphRecursionError as error:
                raise self._exhausted() from error
            else:
                return self._split(reached) if reached else await self._at_rest(result)

    async def _grant_request(self) -> RunOutcome | None:
        """What the request that drained the graph makes of the run; None when it goes on."""
        request = self._signals.take()
        if request is not None and request.kind is RequestKind.STOP:
            return self._outcome(RunStatus.CANCELLED)
        snapshot = await self._snapshot()
        if request is None or request.at_node is None or request.at_node in snapshot.next:
            of_batch = request is not None and request.of_batch
            return self._paused(PauseReason.BATCH if of_batch else PauseReason.COMMAND, snapshot)
        self._asked_at = request.at_node
        self._before = union(self._before, (request.at_node,))
        if snapshot.metadata is not None:
            self._limit_supersteps(snapshot.metadata["step"])
        return None

    def _split(self, reached: Collection[str]) -> RunOutcome:
        """What else the graph waits for, the runs will find that go on from here."""
        if self._signals.must_stop:
            return self._outcome(RunStatus.CANCELLED)
        return self._outcome(RunStatus.SPLIT, reached=tuple(sorted(reached)))

    async def _at_rest(self, result: GraphOutput[Any]) -> RunOutcome:
        if result.interrupts or self._before or self._after or rests_inside(self._graph):
            snapshot = await self._snapshot()
            if result.interrupts:
                return self._paused(PauseReason.INTERRUPT, snapshot)
            if self._asked_at in snapshot.next:
                return self._paused(PauseReason.COMMAND, snapshot)
            if snapshot.next:
                return self._paused(PauseReason.BREAKPOINT, snapshot)
        if self._may_exceed:
            await self._check_supersteps()
        return self._outcome(RunStatus.COMPLETED, output=plain_json(result.value))

    async def _check_supersteps(self) -> None:
        """LangGraph takes no limit below one, which is a superstep more than the timeline had."""
        metadata = (await self._snapshot()).metadata
        if metadata is not None and metadata["step"] >= self._run.limits.recursion_limit:
            raise self._exhausted()

    def _paused(
        self, reason: PauseReason, snapshot: StateSnapshot, error: RunError | None = None
    ) -> RunOutcome:
        if self._signals.must_stop:
            return self._outcome(RunStatus.CANCELLED)
        return self._outcome(
            RunStatus.PAUSED,
            pause_reason=reason,
            error=error,
            next_nodes=snapshot.next,
            interrupts=waits_for(snapshot, reason),
        )

    def _outcome(self, status: RunStatus, **details: Any) -> RunOutcome:  # noqa: ANN401
        return RunOutcome(
            run_id=self._run.id,
            status=status,
            duration_ms=(perf_counter() - self._began) * 1000,
            checkpoint_id=self._saver.forget(str(self._run.thread_id)),
            of_group=bool(self._run.gates),
            **details,
        )

    async def _snapshot(self) -> StateSnapshot:
        return await self._graph.aget_state(self._config())

    def _config(self) -> RunnableConfig:
        return {
            "configurable": {"thread_id": str(self._run.thread_id), "checkpoint_ns": ""},
            "recursion_limit": self._recursion_limit,
        }

    def _exhausted(self) -> GraphRecursionError:
        return GraphRecursionError(
            f"the execution's timeline has reached its limit of "
            f"{self._run.limits.recursion_limit} supersteps; does the graph loop for ever? "
            "Otherwise give it a higher limits.recursion_limit"
        )
