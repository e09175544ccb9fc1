"""Graphs whose nodes are visited in every way that LangGraph knows."""

import operator
import sys
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime
from langgraph.types import Command, RetryPolicy, Send
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """What the input asks for, and the names of the nodes that were visited."""

    do: str
    seen: Annotated[list[str], operator.add]


Graph = StateGraph[State, None, State, State]


async def left(state: State) -> dict[str, Any]:
    return {"seen": ["left"]}


def right(state: State) -> dict[str, Any]:
    """A plain function: it runs in a thread."""
    if state["do"] == "exit":
        sys.exit(3)
    return {"seen": ["right"]}


async def join(state: State) -> dict[str, Any]:
    return {"seen": ["x" * 100_000 if state["do"] == "large" else "join"]}


def side_by_side() -> Graph:
    """Two nodes in one superstep, joined by a third."""
    graph = Graph(State)
    graph.add_node("left", left)
    graph.add_node("right", right)
    graph.add_node("join", join)
    graph.add_edge(START, "left")
    graph.add_edge(START, "right")
    graph.add_edge(["left", "right"], "join")
    graph.add_edge("join", END)
    return graph


async def plan(state: State) -> Command[Any]:
    return Command(update={"seen": ["plan"]}, goto=[Send("work", {"do": d}) for d in "abc"])


async def work(state: State) -> dict[str, Any]:
    return {"seen": [state["do"]]}


def fan_out() -> Graph:
    """One node sends three inputs to another."""
    graph = Graph(State)
    graph.add_node("plan", plan, destinations=("work",))
    graph.add_node("work", work)
    graph.add_edge(START, "plan")
    return graph


async def flaky(state: State) -> dict[str, Any]:
    info = get_runtime().execution_info
    if info is None or info.node_attempt < 3:
        raise ConnectionError("not yet")
    return {"seen": ["flaky"]}


def retried() -> Graph:
    """A node that succeeds at its third attempt."""
    graph = Graph(State)
    patience = RetryPolicy(max_attempts=3, initial_interval=0.0, jitter=False)
    graph.add_node("flaky", flaky, retry_policy=patience)
    graph.add_edge(START, "flaky")
    return graph


def nested(*, checkpointer: bool | None = None) -> Graph:
    """A graph whose second node is a graph."""
    graph = Graph(State)
    graph.add_node("left", left)
    graph.add_node("inside", side_by_side().compile(checkpointer=checkpointer))
    graph.add_edge(START, "left")
    graph.add_edge("left", "inside")
    return graph


def nested_without_checkpoints() -> Graph:
    """The same, with a graph inside that wants no checkpoints of its own."""
    return nested(checkpointer=False)
