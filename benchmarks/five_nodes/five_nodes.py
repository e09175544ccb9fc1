"""Five async nodes in a chain that wait for 20 ms each, as for a model; the last three vary."""

import asyncio
import operator
from typing import Annotated, Any, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph

NAMES = ("n1", "n2", "n3", "n4", "n5")
NODE_SECONDS = 0.02


class State(TypedDict, total=False):
    """A question and the variants that it has passed."""

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
        graph.add_node(name, _variant("base"))
    for source, target in zip((START, *NAMES), (*NAMES, END), strict=True):
        graph.add_edge(source, target)
    return graph


def _variant(name: str) -> Node:
    async def node(state: State) -> dict[str, Any]:
        await asyncio.sleep(NODE_SECONDS)
        return {"log": [f"{state['q']} {name}"]}

    return node


second = _variant("second")
third = _variant("third")
