"""Where graphs rest: breakpoints, which are static, and interrupts, which nodes raise."""

from collections.abc import Iterable, Sequence

from langgraph.graph.state import CompiledStateGraph
from langgraph.types import All, StateSnapshot

from wtb_async.domain.execution import PauseReason
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.plain_json import plain_json

Nodes = All | Sequence[str]
"""Names of nodes, or `"*"` for all of them."""


def union(nodes: Nodes, more: Iterable[str]) -> Nodes:
    """All of both, each once."""
    return "*" if nodes == "*" else list(dict.fromkeys((*nodes, *more)))


def hits(nodes: Nodes, reached: Iterable[str]) -> bool:
    """Whether one of the nodes has been reached."""
    return any(nodes == "*" or node in nodes for node in reached)


def rests_inside(graph: Compiled) -> bool:
    """Whether a subgraph has breakpoints of its own, at which the whole graph rests."""
    inner = (each for node in graph.nodes.values() for each in node.subgraphs)
    return any(
        bool(each.interrupt_before_nodes or each.interrupt_after_nodes) or rests_inside(each)
        for each in inner
        if isinstance(each, CompiledStateGraph)
    )


def waits_for(snapshot: StateSnapshot, reason: PauseReason) -> tuple[JsonObject, ...]:
    """What a resting graph waits for, as the execution shows it.

    A question of a node has the kind `interrupt`, LangGraph's id and the node's payload as its
    value. A breakpoint has the kind `breakpoint` and the id of the task that waits behind it.
    """
    questions = [
        {
            "id": asked.id,
            "kind": "interrupt",
            "node": task.name,
            "value": plain_json(asked.value, "interrupt"),
            "response_schema": plain_json(asked.response_schema, "response_schema"),
        }
        for task in snapshot.tasks
        for asked in task.interrupts
    ]
    if reason is not PauseReason.BREAKPOINT:
        return tuple(questions)
    waiting = [
        {
            "id": task.id,
            "kind": "breakpoint",
            "node": task.name,
            "value": None,
            "response_schema": None,
        }
        for task in snapshot.tasks
        if not task.interrupts
    ]
    return (*questions, *waiting)
