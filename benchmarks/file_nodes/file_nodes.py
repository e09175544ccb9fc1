"""The standard workload's four nodes, of which the first may read a file of the workspace."""

import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph

NAMES = ("n1", "n2", "n3", "n4")


class State(TypedDict, total=False):
    """A question and the names of the nodes that it has passed."""

    q: str
    log: Annotated[list[str], operator.add]


Graph = StateGraph[State, None, State, State]


def build() -> Graph:
    """No node asks for the workspace."""
    return _graph(first=_idle)


def build_reading() -> Graph:
    """The first node reads a file."""
    return _graph(first=_read)


async def _idle(state: State) -> dict[str, Any]:
    return {"log": [f"{len(state['log'])}"]}


async def _read(state: State, config: RunnableConfig) -> dict[str, Any]:
    """So small a file takes less time than a thread to read it in."""
    workspace = config["configurable"]["wtb_workspace"]
    return {"log": [Path(workspace, "0.txt").read_text(), state["q"]]}  # noqa: ASYNC240


def _graph(first: Any) -> Graph:  # noqa: ANN401 - either of the nodes above
    graph: Graph = StateGraph(State)
    for name in NAMES:
        graph.add_node(name, first if name == NAMES[0] else _idle)
    for source, target in zip((START, *NAMES), (*NAMES, END), strict=True):
        graph.add_edge(source, target)
    return graph
