"""A graph whose state holds objects, and whose first node returns what its input asks for."""

import asyncio
import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class Genre(StrEnum):
    """A string that is more than one."""

    POEM = "poem"


class Place(NamedTuple):
    """Where a book stands."""

    shelf: int
    row: int


@dataclasses.dataclass
class Page:
    """A dataclass."""

    text: str


class Book(BaseModel):
    """A model that holds dataclasses."""

    pages: list[Page]


class Reading(TypedDict, total=False):
    """The state of the subgraph, with a type that only it has."""

    do: str
    gate: str
    page: Page
    kinds: list[str]


class State(TypedDict, total=False):
    """What to do, what opens the gate, and objects."""

    do: str
    gate: str
    any: Any
    genre: Genre
    place: Place
    books: list[Book]
    kinds: list[str]


class Silent(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


_UNSTORABLE = {
    "nul": "a\x00b",
    "surrogate": "a\ud800",
    "nan": float("nan"),
    "infinity": float("inf"),
    "huge": 2**64,
    "unknown": object(),
    "nested": [float("nan"), "\x00"],
}


async def acquire(state: State) -> dict[str, Any]:
    """Return objects, or what cannot be stored."""
    match state["do"]:
        case "fail":
            raise ValueError("a\x00b\ud800")
        case "fall silent":
            raise Silent
        case "ask":
            return {"any": interrupt({"which": "\x00"})}
    return {
        "any": _UNSTORABLE.get(state["do"]),
        "genre": Genre.POEM,
        "place": Place(1, 2),
        "books": [Book(pages=[Page("one")])],
    }


async def open_page(state: Reading) -> dict[str, Any]:
    """Return an object that stays in the subgraph."""
    return {"page": Page("two")}


def is_open(state: Reading) -> bool:
    """Whether somebody has made the gate's file."""
    return Path(state["gate"]).exists()


async def read_page(state: Reading) -> dict[str, Any]:
    """Wait for the gate, and name the class of the page."""
    while not is_open(state):  # noqa: ASYNC110 - another process opens it
        await asyncio.sleep(0.01)
    return {"kinds": [type(state["page"]).__name__]}


async def describe(state: State) -> dict[str, Any]:
    """Name the classes of all objects, and drop what was only passed on."""
    [book] = state["books"]
    objects = [state["genre"], state["place"], book, book.pages[0]]
    return {"kinds": [*state["kinds"], *(type(item).__name__ for item in objects)], "any": None}


def build() -> StateGraph[State, None, State, State]:
    """The graph, not yet compiled."""
    reading: StateGraph[Reading, None, Reading, Reading] = StateGraph(Reading)
    reading.add_node("open_page", open_page)
    reading.add_node("read_page", read_page)
    reading.add_edge(START, "open_page")
    reading.add_edge("open_page", "read_page")
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("acquire", acquire)
    graph.add_node("read", reading.compile())
    graph.add_node("describe", describe)
    graph.add_edge(START, "acquire")
    graph.add_edge("acquire", "read")
    graph.add_edge("read", "describe")
    graph.add_edge("describe", END)
    return graph
