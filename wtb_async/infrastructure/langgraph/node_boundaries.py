"""Records node boundaries: who ran when, from which checkpoint, with what and to what end."""

import asyncio
import copy
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.constants import START
from langgraph.errors import GraphBubbleUp, GraphInterrupt, ParentCommand
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import ExecutionInfo, get_runtime

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.domain.node_boundary import BoundaryStatus
from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryLog, BoundaryRow
from wtb_async.infrastructure.langgraph.active_run import ACTIVE_RUN, ActiveRun
from wtb_async.infrastructure.langgraph.asked_before import ASKED
from wtb_async.infrastructure.langgraph.bounded_json import bounded_json, bounded_message
from wtb_async.infrastructure.langgraph.node_output import keys_of_whole_values, storable
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.quiet_node import quieten
from wtb_async.infrastructure.postgres.json_text import to_json_text
from wtb_async.infrastructure.workspaces.node_workspace import NodeWorkspace

_NAMESPACE_SEPARATOR = "|"


class NodeExited(RuntimeError):
    """The node asked the whole process to exit; only its run ends."""

    def __init__(self, node: str, code: object) -> None:
        super().__init__(f"node {node!r} called for an exit with code {code!r}")


class NodeTimedOut(TimeoutError):
    """One attempt of the node took longer than the execution's limit for a node."""

    def __init__(self, node: str, seconds: float) -> None:
        super().__init__(f"node {node!r} took longer than its limit of {seconds:g} s")


def observe_nodes(graph: Compiled, log: BoundaryLog, *, max_value_bytes: int) -> Compiled:
    """A copy of the graph that records a boundary for every attempt of every node.

    Subgraphs that are nodes are observed inside as well; a graph that a node's own code calls is
    part of that node.

    Args:
        graph: left as it is.
        log: where boundaries wait for their commit.
        max_value_bytes: inputs and outputs whose JSON is larger are not kept.
    """
    observed = copy.copy(graph)
    if observed.checkpointer is False:
        # LangGraph cannot run a subgraph without checkpoints with the durability that a run has;
        # with those of the graph around it, it goes on after a crash where it was.
        observed.checkpointer = None
    observed.nodes = dict(graph.nodes)
    keys = keys_of_whole_values(graph)
    for name, node in graph.nodes.items():
        if name == START:
            continue
        bound = node.bound
        changes: dict[str, Any] = {}
        if isinstance(bound, CompiledStateGraph):
            bound = observe_nodes(bound, log, max_value_bytes=max_value_bytes)
            changes = {"subgraphs": [bound]}
        changes["bound"] = ObservedNode(name, bound, log, max_value_bytes, keys)
        observed.nodes[name] = quieten(node.copy(changes))
    return observed


class ObservedNode(Runnable[Any, Any]):
    """A node that notes in a log when it began and how it ended, and is otherwise the same."""

    def __init__(
        self,
        name: str,
        runnable: Runnable[Any, Any],
        log: BoundaryLog,
        max_value_bytes: int,
        keys: Collection[str],
    ) -> None:
        self.name = name
        self._runnable = runnable
        self._log = log
        self._max_value_bytes = max_value_bytes
        self._keys = keys
        # LangGraph's node cache keys its entries by the function behind the node.
        function = getattr(runnable, "func", None)
        if qualified := getattr(function, "__qualname__", None):
            self.__qualname__: str = qualified
            self.__module__ = function.__module__

    def invoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run the node without a record: runs are always driven asynchronously."""
        return self._runnable.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run the node and record it.

        Raises:
            GraphInterrupt: it has asked before, and there is no answer yet; nothing is recorded.
            NodeExited: the node raised SystemExit.
            NotStorable: its output cannot be stored; it counts as failed.
        """
        visit = self._begin(input)
        if visit is not None and (asked := ASKED.get().get(visit.info.task_id)):
            raise GraphInterrupt(asked)
        try:
            output = await storable(self._run(input, config, visit, kwargs), self._keys)
        except SystemExit as exit_:
            error = NodeExited(str(self.name), exit_.code)
            self._end(visit, BoundaryStatus.FAILED, error=_error(error))
            raise error from exit_
        except ParentCommand as command:
            self._end(visit, BoundaryStatus.COMPLETED, output=self._json(command.args[0]))
            raise
        except BaseException as error:
            self._end(visit, _status_after(error), error=_error(error))
            raise
        self._end(visit, BoundaryStatus.COMPLETED, output=self._json(output))
        return output

    async def _run(
        self,
        given: object,
        config: RunnableConfig | None,
        visit: "_Visit | None",
        options: dict[str, Any],
    ) -> Any:  # noqa: ANN401
        """Run the node as its run wants it: with its key, no longer than it may take.

        Files that it leaves are kept before its output or its question is: whoever has to answer
        wants to see them, and graphs that it called have finished nodes of their own.
        """
        active = ACTIVE_RUN.get()
        if active is None or visit is None:
            return await self._runnable.ainvoke(given, config, **options)
        workspace = active.workspace.for_node() if active.workspace else None
        config = active.config_for(config or {}, visit.info.task_id, workspace)
        try:
            output = await self._timed(given, config, active, options)
        except (ParentCommand, GraphInterrupt):
            await _keep_files(active, workspace)
            raise
        await _keep_files(active, workspace)
        return output

    async def _timed(
        self, given: object, config: RunnableConfig, active: ActiveRun, options: dict[str, Any]
    ) -> Any:  # noqa: ANN401
        if active.node_timeout_seconds is None:
            return await self._runnable.ainvoke(given, config, **options)
        timer = asyncio.timeout(active.node_timeout_seconds)
        try:
            async with timer:
                return await self._runnable.ainvoke(given, config, **options)
        except TimeoutError as error:
            if timer.expired():
                raise NodeTimedOut(str(self.name), active.node_timeout_seconds) from error
            raise

    def _begin(self, value: object) -> "_Visit | None":
        """Note the input before the node can change it; None when no run has the thread open."""
        info = get_runtime().execution_info
        run_id = self._log.run_of(info.thread_id) if info else None
        if info is None or run_id is None:
            return None
        return _Visit(new_id(), run_id, info, self._json(value), utc_now(), perf_counter())

    def _end(
        self,
        visit: "_Visit | None",
        status: BoundaryStatus,
        *,
        output: str | None = None,
        error: str | None = None,
    ) -> None:
        if visit is None:
            return
        failed = status is BoundaryStatus.FAILED
        self._log.add(visit.row(str(self.name), status, output, error if failed else None))

    def _json(self, value: object) -> str:
        return bounded_json(value, self._max_value_bytes)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One attempt of a node, under way."""

    id: UUID
    run_id: UUID
    info: ExecutionInfo
    input: str
    started_at: datetime
    began: float

    def row(
        self, node: str, status: BoundaryStatus, output: str | None, error: str | None
    ) -> BoundaryRow:
        # A task's namespace is its graph's, with a last part of its own.
        namespace, _, _ = self.info.checkpoint_ns.rpartition(_NAMESPACE_SEPARATOR)
        return BoundaryRow(
            id=self.id,
            thread_id=str(self.info.thread_id),
            run_id=self.run_id,
            node=node,
            task_id=self.info.task_id,
            attempt=self.info.node_attempt,
            status=status.value,
            checkpoint_ns=namespace,
            entry_checkpoint_id=self.info.checkpoint_id,
            started_at=self.started_at,
            finished_at=self.started_at + timedelta(seconds=perf_counter() - self.began),
            input=self.input,
            output=output,
            error=error,
        )


async def _keep_files(active: ActiveRun, workspace: NodeWorkspace | None) -> None:
    if active.workspace is not None and workspace is not None:
        await active.workspace.after_node(workspace)


def _status_after(error: BaseException) -> BoundaryStatus:
    if isinstance(error, GraphBubbleUp):
        return BoundaryStatus.INTERRUPTED
    if isinstance(error, asyncio.CancelledError):
        return BoundaryStatus.CANCELLED
    return BoundaryStatus.FAILED


def _error(error: BaseException) -> str:
    return to_json_text({"type": type(error).__name__, "message": bounded_message(error)})
