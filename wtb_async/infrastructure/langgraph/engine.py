"""Drives one run through its LangGraph graph."""

import asyncio
import re
from time import perf_counter
from typing import Any

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.types import GraphOutput

from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.domain.errors import TransientError
from wtb_async.domain.execution import PauseReason, RunError
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import RunStatus
from wtb_async.infrastructure.checkpoints.clock import advance_clock
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.langgraph.graph_cache import GraphCache
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.plain_json import (
    NotStorable,
    plain_json,
    storable_text,
)

log = structlog.get_logger(__name__)

_LAST_BOUNDARIES_SECONDS = 1.0
_TASK_NOTE = re.compile(r"During task with name '(?P<node>.+?)' and id")


class LangGraphEngine:
    """Executes runs with `durability="sync"`: a superstep counts once its checkpoint is committed.

    LangGraph's default durability serialises join barriers late, which leaves wrong historic
    checkpoints behind when several runs share a process.
    """

    def __init__(self, graphs: GraphCache, saver: GroupCommitSaver) -> None:
        self._graphs = graphs
        self._saver = saver

    async def drive(self, run: ClaimedRun) -> RunOutcome:
        """Execute until the graph ends, pauses, fails or exceeds its time.

        Cancelling this call cancels the graph; then there is no outcome.

        Raises:
            TransientError: the database was away for too long; what was committed stands.
        """
        began = perf_counter()
        thread_id = str(run.thread_id)
        self._saver.boundaries.open(thread_id, run.id)
        timer = asyncio.timeout(run.limits.timeout_seconds)
        try:
            async with timer:
                graph = await self._graphs.get(run)
                result = await self._invoke(graph, run)
            outcome = await self._outcome(graph, run, result, began)
        except TransientError:
            raise
        except asyncio.CancelledError:
            await self._write_last_boundaries(thread_id)
            raise
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises fails its run
            seconds = run.limits.timeout_seconds
            reason = _timed_out(seconds) if timer.expired() else _run_error(error)
            outcome = RunOutcome(
                run_id=run.id,
                status=RunStatus.FAILED,
                duration_ms=_since(began),
                error=reason,
                checkpoint_id=self._saver.forget(thread_id),
            )
            await self._write_last_boundaries(thread_id)
        finally:
            self._saver.forget(thread_id)
            self._saver.boundaries.close(thread_id)
        return outcome

    async def _write_last_boundaries(self, thread_id: str) -> None:
        """Nodes that were cut off write no checkpoint that their boundaries could ride with.

        A database that is away must not hold up the end of a run for them.
        """
        try:
            async with asyncio.timeout(_LAST_BOUNDARIES_SECONDS):
                await self._saver.write_boundaries(thread_id)
        except (TransientError, TimeoutError) as error:
            log.warning("last_boundaries_not_written", thread_id=thread_id, error=repr(error))

    async def _invoke(self, graph: Compiled, run: ClaimedRun) -> GraphOutput[Any]:
        config = _config(run)
        graph_input: JsonObject | None = run.input
        if run.resumes:
            newest = await self._saver.newest_checkpoint_id(str(run.thread_id))
            if newest is not None:
                advance_clock(newest)
                graph_input = None
        else:
            self._saver.expect_new(str(run.thread_id))
        result: GraphOutput[Any] = await graph.ainvoke(
            graph_input, config, durability="sync", version="v2"
        )
        return result

    async def _outcome(
        self, graph: Compiled, run: ClaimedRun, result: GraphOutput[Any], began: float
    ) -> RunOutcome:
        waits = bool(result.interrupts) or bool(
            graph.interrupt_before_nodes or graph.interrupt_after_nodes
        )
        next_nodes: tuple[str, ...] = ()
        if waits:
            next_nodes = (await graph.aget_state(_config(run))).next
        reason = _pause_reason(result, next_nodes)
        return RunOutcome(
            run_id=run.id,
            status=RunStatus.COMPLETED if reason is None else RunStatus.PAUSED,
            duration_ms=_since(began),
            output=plain_json(result.value),
            pause_reason=reason,
            checkpoint_id=self._saver.forget(str(run.thread_id)),
            next_nodes=next_nodes,
            interrupts=tuple(
                {"id": item.id, "value": plain_json(item.value)} for item in result.interrupts
            ),
        )


def _config(run: ClaimedRun) -> RunnableConfig:
    return {
        "configurable": {"thread_id": str(run.thread_id), "checkpoint_ns": ""},
        "recursion_limit": run.limits.recursion_limit,
    }


def _pause_reason(result: GraphOutput[Any], next_nodes: tuple[str, ...]) -> PauseReason | None:
    if result.interrupts:
        return PauseReason.INTERRUPT
    return PauseReason.BREAKPOINT if next_nodes else None


def _timed_out(seconds: float | None) -> RunError:
    return RunError("TimeoutError", f"the run took longer than its limit of {seconds} s")


def _run_error(error: Exception) -> RunError:
    kind = "NotStorable" if isinstance(error, NotStorable) else type(error).__name__
    return RunError(kind, storable_text(str(error)), _failed_node(error))


def _failed_node(error: Exception) -> str | None:
    """The node's name, from the note that LangGraph puts on what a node raises."""
    for note in getattr(error, "__notes__", ()):
        if found := _TASK_NOTE.match(note):
            return found["node"]
    return None


def _since(began: float) -> float:
    return (perf_counter() - began) * 1000
