"""The standard workload: four async nodes in a chain that do nothing but append their name.

If an input's `q` starts with `t`, the first node appends the time at which it began: on one
machine that tells how long after its submission a run was started.
"""

import operator
import time
from typing import Annotated, Any, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph

NAMES = ("n1", "n2", "n3", "n4")


class State(TypedDict, total=False):
    """A question and the names of the nodes that it has passed."""

    q: str
    log: Annotated[list[str], operator.add]


class Node(Protocol):
    """An async node."""

    async def __call__(self, state: State) -> dict[str, Any]:
        """What it adds to the state."""


def build() -> StateGraph[State, None, State, State]:
    """The graph, not yet compiled."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    for name in NAMES:
        graph.add_node(name, _node(name))
    for source, target in zip((START, *NAMES), (*NAMES, END), strict=True):
        graph.add_edge(source, target)
    return graph


def _node(name: str) -> Node:
    async def node(state: State) -> dict[str, Any]:
        timed = name == NAMES[0] and state["q"].startswith("t")
        return {"log": [f"{name}@{time.time():.6f}" if timed else name]}

    return node
