"""A graph for tests that keeps differences, which only its own reducer can put together."""

from collections.abc import Sequence
from typing import Annotated, Any

from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

Lines = list[str]


def newest_first(lines: Lines, batches: Sequence[Lines]) -> Lines:
    """A reducer whose result nobody could guess."""
    for batch in batches:
        lines = [*batch, *lines]
    return lines


def broken(lines: Lines, batches: Sequence[Lines]) -> Lines:
    """A reducer that fails."""
    raise ValueError("told to fail")


class Counted(TypedDict, total=False):
    """What the nodes read."""

    count: int


class State(Counted, total=False):
    """Differences, and a value beside them."""

    lines: Annotated[Lines, DeltaChannel(newest_first)]


class BrokenState(Counted, total=False):
    """The same, with the reducer that fails."""

    lines: Annotated[Lines, DeltaChannel(broken)]


async def first(state: Counted) -> dict[str, Any]:
    """Add a line."""
    return {"count": 1, "lines": ["first"]}


async def second(state: Counted) -> dict[str, Any]:
    """Add another line."""
    return {"count": 2, "lines": ["second"]}


def build(schema: type[Any] = State) -> StateGraph[Any, None, Any, Any]:
    """The graph, not yet compiled."""
    graph: StateGraph[Any, None, Any, Any] = StateGraph(schema)
    graph.add_sequence([first, second])
    graph.add_edge(START, "first")
    graph.add_edge("second", END)
    return graph


def failing() -> StateGraph[Any, None, Any, Any]:
    """The same graph after somebody broke it."""
    return build(BrokenState)
