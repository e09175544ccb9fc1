"""Compiled graphs, one per workflow version and choice of variants."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from langgraph.checkpoint.base import BaseCheckpointSaver

from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.errors import NotFound
from wtb_async.domain.workflow import Workflow, decided
from wtb_async.infrastructure.langgraph.code_source import CodeSource, CodeSources
from wtb_async.infrastructure.langgraph.gates import close_gates
from wtb_async.infrastructure.langgraph.graph_loader import Graph, load_graph, load_node
from wtb_async.infrastructure.langgraph.node_replacement import (
    Compiled,
    Replacement,
    compile_like,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.schema_types import trusted_types
from wtb_async.infrastructure.langgraph.workspace_settings import WorkspaceSettings


@dataclass(frozen=True, slots=True)
class LoadedGraph:
    """A graph that is ready for runs, and how their workspaces are kept."""

    compiled: Compiled
    workspace: WorkspaceSettings


WorkflowLoader = Callable[[UUID], Awaitable[Workflow]]
_Key = tuple[UUID, int, str | None, tuple[tuple[str, str], ...], tuple[str, ...]]


class GraphCache:
    """Loads and compiles each graph once, however many runs ask for it at the same time."""

    def __init__(
        self,
        load_workflow: WorkflowLoader,
        projects: CodeSources,
        saver: BaseCheckpointSaver[str],
        *,
        move: Callable[[Compiled, ClaimedRun, Workflow, CodeSource], Compiled],
        observe: Callable[[Compiled], Compiled],
        size: int = 128,
    ) -> None:
        self._load_workflow = load_workflow
        self._projects = projects
        self._saver = saver
        self._move = move
        self._observe = observe
        self._size = size
        self._graphs: OrderedDict[_Key, asyncio.Task[LoadedGraph]] = OrderedDict()

    def forget(self) -> None:
        """Load every graph anew: what references name has changed."""
        self._graphs.clear()

    async def get(self, run: ClaimedRun) -> LoadedGraph:
        """The graph of a run. Raises InvalidInput when the user's code does not load."""
        variants = decided(run.variants)
        key = (
            run.workflow_id,
            run.workflow_version,
            run.workflow_variant,
            tuple(sorted(variants.items())),
            run.gates,
        )
        task = self._graphs.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.create_task(self._build(run, variants))
            self._graphs[key] = task
            if len(self._graphs) > self._size:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(key)
        return await asyncio.shield(task)

    async def _build(self, run: ClaimedRun, variants: dict[str, str]) -> LoadedGraph:
        workflow = await self._load_workflow(run.workflow_id)
        project = self._projects.get(workflow.project)
        graph = await self._graph(workflow, run.workflow_variant, project)
        replacements = {
            node: _replacement(workflow, node, name, project) for node, name in variants.items()
        }
        compiled = compile_like(graph, replace_nodes(graph, replacements))
        # The same saver, with a reader for the types of this graph.
        compiled.checkpointer = self._saver.with_allowlist(trusted_types(compiled))
        moved = self._move(compiled, run, workflow, project)
        gated = close_gates(self._observe(moved), run.gates)
        return LoadedGraph(gated, project.workspace_of(workflow.name))

    @staticmethod
    async def _graph(workflow: Workflow, variant: str | None, project: CodeSource) -> Graph:
        if variant is None:
            return await load_graph(project, workflow.graph)
        found = workflow.find_workflow_variant(variant)
        if found is None:
            raise NotFound("workflow variant", variant)
        return await load_graph(project, found.graph)


def _replacement(workflow: Workflow, node: str, name: str, project: CodeSource) -> Replacement:
    variant = workflow.find_node_variant(node, name)
    if variant is None:
        raise NotFound(f"variant of node {node!r}", name)
    return Replacement(name, load_node(project, variant.implementation))
