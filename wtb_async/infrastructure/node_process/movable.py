"""Which nodes can have a process of their own."""

from collections.abc import Collection

from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.infrastructure.langgraph.node_replacement import Compiled


def check_movable(graph: Compiled, nodes: Collection[str]) -> None:
    """Raise `InvalidInput` for nodes that no process can be given, or that the graph lacks."""
    violations = [
        Violation("processes", problem) for name in nodes if (problem := _problem(graph, name))
    ]
    if violations:
        raise InvalidInput(violations)


def _problem(graph: Compiled, name: str) -> str | None:
    if name.startswith("__") or name not in graph.nodes:
        known = ", ".join(node for node in graph.nodes if not node.startswith("__"))
        return f"the graph has no node {name!r}; its nodes are: {known}"
    if graph.nodes[name].subgraphs:
        return (
            f"node {name!r} is or calls a graph, which has its checkpoints in the runner; "
            "give processes to nodes of plain code"
        )
    return None
