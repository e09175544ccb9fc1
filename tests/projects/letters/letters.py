"""A graph for tests: two nodes that append letters, and do what their input tells them to."""

import asyncio
import operator
import os
import sys
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """What to do, and the letters so far."""

    do: str
    letters: Annotated[list[str], operator.add]


async def first(state: State) -> dict[str, Any]:
    """Append `a`."""
    return {"letters": ["a"]}


async def second(state: State) -> dict[str, Any]:
    """Append `b`, unless told otherwise."""
    match state.get("do", ""):
        case "fail":
            raise ValueError("told to fail")
        case "die":
            os._exit(9)
        case "exit":
            sys.exit("told to exit")
        case "wait":
            await asyncio.sleep(3600)
        case "ask":
            return {"letters": [interrupt("which letter?")]}
        case "nan":
            return {"letters": [float("nan")]}
        case "nul":
            return {"letters": ["\x00"]}
    return {"letters": ["b"]}


async def loud(state: State) -> dict[str, Any]:
    """A variant of `second`."""
    return {"letters": ["B!"]}


def build() -> StateGraph[State, None, State, State]:
    """The graph, not yet compiled."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph


def brief() -> StateGraph[State, None, State, State]:
    """Another graph, which has no `first`."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("second", second)
    graph.add_edge(START, "second")
    graph.add_edge("second", END)
    return graph
