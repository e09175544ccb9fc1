"""A graph for tests of takeovers: each node notes in a file that it ran; the second has a gate."""

import asyncio
import operator
from pathlib import Path
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """Where to note, what opens the gate, and the nodes that have returned."""

    name: str
    tally: str
    gate: str
    done: Annotated[list[str], operator.add]


def note(state: State, line: str) -> None:
    """Append a line to the tally, outside of everything that the platform keeps."""
    with Path(state["tally"]).open("a") as tally:
        tally.write(f"{state['name']} {line}\n")


async def first(state: State) -> dict[str, Any]:
    """Run at once."""
    note(state, "first")
    return {"done": ["first"]}


def is_open(state: State) -> bool:
    """Whether somebody has made the gate's file."""
    return Path(state["gate"]).exists()


async def second(state: State) -> dict[str, Any]:
    """Run until the gate is open."""
    note(state, "second")
    while not is_open(state):  # noqa: ASYNC110 - another process opens it
        await asyncio.sleep(0.01)
    note(state, "end")
    return {"done": ["second"]}


def side_by_side() -> StateGraph[State, None, State, State]:
    """Both nodes in one superstep."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge(START, "second")
    return graph


def build() -> StateGraph[State, None, State, State]:
    """The graph, not yet compiled."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph
