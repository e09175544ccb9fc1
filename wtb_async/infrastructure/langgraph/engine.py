"""Drives one run through its LangGraph graph."""

import asyncio
import re
from time import perf_counter

import structlog

from wtb_async.application.ports import LiveEvents
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.signals import RunSignals
from wtb_async.domain.errors import TransientError, WtbError
from wtb_async.domain.execution import RunError
from wtb_async.domain.run import RunStatus
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.langgraph.active_run import ACTIVE_RUN, ActiveRun
from wtb_async.infrastructure.langgraph.graph_cache import GraphCache, LoadedGraph
from wtb_async.infrastructure.langgraph.passage import Passage
from wtb_async.infrastructure.langgraph.plain_json import NotStorable, message_of
from wtb_async.infrastructure.workspaces.run_workspace import RunWorkspace, WorkspaceMachinery

log = structlog.get_logger(__name__)

_LAST_BOUNDARIES_SECONDS = 1.0
_TASK_NOTE = re.compile(r"During task with name '(?P<node>.+?)' and id")


class LangGraphEngine:
    """Executes runs with `durability="sync"`: a superstep counts once its checkpoint is committed.

    LangGraph's default durability serialises join barriers late, which leaves wrong historic
    checkpoints behind when several runs share a process.
    """

    def __init__(
        self,
        graphs: GraphCache,
        saver: GroupCommitSaver,
        live: LiveEvents,
        workspaces: WorkspaceMachinery | None = None,
    ) -> None:
        """Without `workspaces` nodes have none."""
        self._graphs = graphs
        self._saver = saver
        self._live = live
        self._workspaces = workspaces

    async def drive(self, run: ClaimedRun, signals: RunSignals) -> RunOutcome:
        """Execute until the graph ends, pauses, fails, is stopped or exceeds its time.

        Cancelling this call cancels the graph; then there is no outcome.

        Raises:
            TransientError: the database was away for too long; what was committed stands.
        """
        began = perf_counter()
        thread_id = str(run.thread_id)
        self._saver.begin(thread_id)
        self._saver.boundaries.open(thread_id, run.id)
        timer = asyncio.timeout(_seconds_left(run))
        workspace: RunWorkspace | None = None
        outcome: RunOutcome | None = None
        try:
            async with self._live.of_run(run) as live, timer:
                loaded = await self._graphs.get(run)
                workspace = self._workspace_of(run, loaded)
                ACTIVE_RUN.set(ActiveRun.of(run, workspace))
                graph = loaded.compiled
                passage = Passage(graph, self._saver, run, signals, live, began, workspace)
                outcome = await passage.go()
        except TransientError:
            raise
        except asyncio.CancelledError:
            self._saver.give_up(thread_id)
            await self._write_last_boundaries(thread_id)
            raise
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises fails its run
            self._saver.give_up(thread_id)
            seconds = run.limits.timeout_seconds
            reason = _timed_out(seconds) if timer.expired() else _run_error(error)
            outcome = RunOutcome(
                run_id=run.id,
                status=RunStatus.FAILED,
                duration_ms=(perf_counter() - began) * 1000,
                error=reason,
                checkpoint_id=self._saver.forget(thread_id),
                of_group=bool(run.gates),
            )
            await self._write_last_boundaries(thread_id)
        finally:
            self._saver.forget(thread_id)
            self._saver.boundaries.close(thread_id)
            if workspace is not None and not workspace.close_unused():
                await asyncio.shield(_leave(workspace, outcome))
        return outcome

    def give_up(self, run: ClaimedRun) -> None:
        """Keep nothing of what a run that does not end still writes."""
        self._saver.give_up(str(run.thread_id))

    def _workspace_of(self, run: ClaimedRun, loaded: LoadedGraph) -> RunWorkspace | None:
        if self._workspaces is None:
            return None
        return RunWorkspace(self._workspaces, run, loaded.workspace)

    async def _write_last_boundaries(self, thread_id: str) -> None:
        """Nodes that were cut off write no checkpoint that their boundaries could ride with.

        A database that is away must not hold up the end of a run for them.
        """
        try:
            async with asyncio.timeout(_LAST_BOUNDARIES_SECONDS):
                await self._saver.write_boundaries(thread_id)
        except (TransientError, TimeoutError) as error:
            log.warning("last_boundaries_not_written", thread_id=thread_id, error=repr(error))


async def _leave(workspace: RunWorkspace, outcome: RunOutcome | None) -> None:
    """What is left behind on the disk is removed some day; it is no reason to lose the outcome."""
    try:
        await workspace.close(outcome.status if outcome else None)
    except (OSError, WtbError) as error:
        log.warning("workspace_not_left", error=repr(error))


def _seconds_left(run: ClaimedRun) -> float | None:
    """A run that goes on after a split has what the runs before it have left."""
    limit = run.limits.timeout_seconds
    return None if limit is None else max(0.0, limit - (run.spent_ms or 0.0) / 1000)


def _timed_out(seconds: float | None) -> RunError:
    return RunError("TimeoutError", f"the run took longer than its limit of {seconds} s")


def _run_error(error: Exception) -> RunError:
    kind = "NotStorable" if isinstance(error, NotStorable) else type(error).__name__
    return RunError(kind, message_of(error), _failed_node(error))


def _failed_node(error: Exception) -> str | None:
    """The node's name, from the note that LangGraph puts on what a node raises."""
    for note in getattr(error, "__notes__", ()):
        if found := _TASK_NOTE.match(note):
            return found["node"]
    return None
