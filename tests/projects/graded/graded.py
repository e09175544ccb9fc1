"""A graph that is never run, and evaluators of every temper."""

import asyncio
from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """One word."""

    word: str


def build() -> StateGraph[State, None, State, State]:
    """A graph of one node."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("first", lambda state: state)
    graph.add_edge(START, "first")
    graph.add_edge("first", END)
    return graph


def broken(outputs: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Fail."""
    raise ValueError(f"no opinion on {outputs!r}")


async def slow(outputs: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Give others time to score the same batch."""
    await asyncio.sleep(0.002)
    return True


def longer(outputs: list[dict[str, str]]) -> list[int]:
    """Prefer the longer one of two words."""
    return [len(each["word"]) for each in outputs]


def share_right(outputs: list[Any], reference_outputs: list[Any]) -> float:
    """Tell how many of all words are right."""
    pairs = zip(outputs, reference_outputs, strict=True)
    return sum(bool(ours == theirs) for ours, theirs in pairs) / len(outputs)
