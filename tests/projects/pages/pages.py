"""A graph for tests of files: it writes many pages, and then a word more onto each."""

from collections.abc import Iterator
from pathlib import Path

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    """How many pages there are, and what the graph has done to them."""

    count: int
    written: int
    revised: int


def pages(state: State, config: RunnableConfig) -> Iterator[tuple[int, Path]]:
    """Every page by its number."""
    folder = Path(config["configurable"]["wtb_workspace"])
    for number in range(state["count"]):
        yield number, folder / f"{number}.txt"


def write(state: State, config: RunnableConfig) -> State:
    """Fill every page."""
    for number, page in pages(state, config):
        page.write_text(f"page {number}\n")
    return {"written": state["count"]}


def revise(state: State, config: RunnableConfig) -> State:
    """Add to every page."""
    for _, page in pages(state, config):
        with page.open("a") as file:
            file.write("revised\n")
    return {"revised": state["count"]}


def build() -> StateGraph[State, None, State, State]:
    """One after the other."""
    graph = StateGraph(State)
    graph.add_node("write", write)
    graph.add_node("revise", revise)
    graph.add_edge(START, "write")
    graph.add_edge("write", "revise")
    graph.add_edge("revise", END)
    return graph
