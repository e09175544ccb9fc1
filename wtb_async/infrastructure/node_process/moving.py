"""Gives nodes of compiled graphs processes of their own."""

import copy

from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.workflow import Workflow, decided
from wtb_async.infrastructure.langgraph.code_source import CodeSource
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.schema_types import trusted_types
from wtb_async.infrastructure.node_process.address import NodeAddress
from wtb_async.infrastructure.node_process.messages import Messages, Terms
from wtb_async.infrastructure.node_process.movable import check_movable
from wtb_async.infrastructure.node_process.pool import NodeProcesses
from wtb_async.infrastructure.node_process.runnable import NodeInProcess


class NodeMover:
    """Moves the nodes that their project wants moved."""

    def __init__(self, processes: NodeProcesses, *, limit_bytes: int) -> None:
        self._processes = processes
        self._limit_bytes = limit_bytes

    def move(
        self, graph: Compiled, run: ClaimedRun, workflow: Workflow, source: CodeSource
    ) -> Compiled:
        """The graph of a run; a copy with other nodes if there is any to move.

        Raises:
            InvalidInput: a node cannot have a process.
        """
        names = source.workspace_of(workflow.name).processes
        if run.workflow_variant is not None:
            names &= graph.nodes.keys()
        if not names:
            return graph
        check_movable(graph, names)
        messages = Messages(Terms(frozenset(trusted_types(graph)), self._limit_bytes))
        moved = copy.copy(graph)
        moved.nodes = dict(graph.nodes)
        for name in names:
            node, address = graph.nodes[name], _address(name, run, workflow, source)
            bound = NodeInProcess(name, node.bound, self._processes, messages, address)
            moved.nodes[name] = node.copy({"bound": bound})
        return moved


def _address(node: str, run: ClaimedRun, workflow: Workflow, source: CodeSource) -> NodeAddress:
    whole = workflow.find_workflow_variant(run.workflow_variant) if run.workflow_variant else None
    name = decided(run.variants).get(node)
    variant = workflow.find_node_variant(node, name) if name else None
    address = NodeAddress(
        project=str(source.project_file),
        graph=whole.graph if whole else workflow.graph,
        node=node,
        variant=name,
        implementation=variant.implementation if variant else None,
    )
    _check(address, source)
    return address


def _check(address: NodeAddress, source: CodeSource) -> None:
    """Raise `InvalidInput` for what only this process can load."""
    for each in filter(None, (address.graph, address.implementation)):
        if source.project_file is None or source.file_of(each.rpartition(":")[0]) is None:
            raise InvalidInput.of(
                "processes",
                f"node {address.node!r} has a process of its own, which cannot load {each!r}; "
                "refer to a module or file of the project",
            )
