"""State types that a checkpoint would lose are found before anything runs."""

import collections
import dataclasses
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum, StrEnum
from pathlib import Path
from re import Pattern
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, Protocol, TypeVar
from uuid import UUID

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AnyMessage, BaseMessage
from langgraph.channels import UntrackedValue
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.managed import RemainingSteps
from langgraph.types import Command, Send
from pydantic import BaseModel, SecretStr, computed_field, field_validator
from typing_extensions import TypedDict

from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.round_trip import lost_types
from wtb_async.infrastructure.langgraph.schema_types import trusted_types

Item = TypeVar("Item")


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    LARGE = "large"


class Planet(Enum):
    EARTH = (1.0, 2.0)


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    text: str

    def __post_init__(self) -> None:
        assert self.text.strip(), "the user's own rule"


@dataclasses.dataclass
class Animal:
    name: str


@dataclasses.dataclass
class Cat(Animal):
    lives: int = 9


class Report(BaseModel):
    title: str
    chunks: list[Chunk]

    @field_validator("title")
    @classmethod
    def has_title(cls, title: str) -> str:
        assert title
        return title

    @computed_field  # type: ignore[prop-decorator]
    @property
    def length(self) -> int:
        return len(self.title)


class Box(BaseModel, Generic[Item]):
    item: Item


class Reader(Protocol):
    def read(self) -> str: ...


class Inner(TypedDict):
    point: NotRequired[Point]


class Connection:
    """A plain class."""


class Outer:
    @dataclasses.dataclass
    class Nested:
        text: str


@dataclasses.dataclass
class Counted:
    text: str
    length: int = dataclasses.field(init=False)


class Names(list[str]):
    pass


def graph_of(annotation: object) -> Compiled:
    """A graph with one key of this type."""
    make: Any = TypedDict
    state = make("State", {"key": annotation})
    graph: Any = StateGraph(state)
    graph.add_node("node", lambda _: {})
    graph.add_edge(START, "node")
    compiled: Compiled = graph.compile()
    return compiled


@pytest.mark.parametrize(
    "annotation",
    [
        Any,
        object,
        str,
        int | None,
        list[dict[str, tuple[int, float]]],
        pytest.param(Annotated[list[AnyMessage], add_messages], id="messages"),
        Sequence[BaseMessage],
        Mapping[str, list[Document]],
        Literal["a", "b"],
        Literal[Colour.RED],
        Colour,
        Size,
        Point,
        Chunk,
        Report,
        list[Report | Chunk] | None,
        Annotated[list[Chunk], operator.add],
        Inner,
        SecretStr,
        set[UUID],
        datetime,
        Path,
        Pattern[str],
        np.ndarray,
        Box[int],
        Reader,
        RemainingSteps,
        Annotated[Connection, UntrackedValue],
        BaseModel,
    ],
    ids=repr,
)
def test_ordinary_types_pass(annotation: object) -> None:
    assert lost_types(graph_of(annotation)) == []


@pytest.mark.parametrize(
    ("annotation", "problem"),
    [
        (Connection, r"Connection, which no checkpoint can hold"),
        (list[Connection] | None, r"Connection, which no checkpoint can hold"),
        (Callable[[], str], r"Callable, which no checkpoint can hold"),
        (np.float64, r"numpy\.float64, which no checkpoint can hold"),
        (complex, r"complex, which no checkpoint can hold"),
        (Planet, r"Planet, which loses its Planet\.EARTH"),
        (Outer.Nested, r"Outer\.Nested, which .* its name, and is not found"),
        (Counted, r"Counted, which does not take its own fields"),
        (Names, r"Names, which comes back from a checkpoint as list"),
        (collections.defaultdict[str, int], r"defaultdict, which .* as dict"),
    ],
    ids=repr,
)
def test_a_type_that_is_lost_is_named_with_its_key(annotation: object, problem: str) -> None:
    [violation] = lost_types(graph_of(annotation))
    assert violation.field == "graph"
    assert violation.message.startswith("the state's 'key' holds ")
    assert re.search(problem, violation.message), violation.message
    assert "UntrackedValue" in violation.message


def test_a_type_inside_of_a_type_is_found() -> None:
    @dataclasses.dataclass
    class Local:
        text: str

    messages = [violation.message for violation in lost_types(graph_of(list[Local]))]
    assert len(messages) == 1
    assert "Local, which comes back from a checkpoint by its name" in messages[0]


def test_the_state_of_a_subgraph_counts() -> None:
    parent: Any = StateGraph(MessagesState)
    parent.add_node("inside", graph_of(Connection))
    parent.add_edge(START, "inside")
    [violation] = lost_types(parent.compile())
    assert "Connection" in violation.message


def names_of(graph: Compiled) -> list[str]:
    return sorted(name for module, name in trusted_types(graph) if module == __name__)


@pytest.mark.parametrize(
    ("annotation", "names"),
    [
        (Any, []),
        (Connection, []),
        (list[Report] | None, ["Chunk", "Report"]),
        (Mapping[str, Sequence[Inner]], ["Point"]),
        (Animal, ["Animal", "Cat"]),
        (Literal[Colour.RED], ["Colour"]),
        (Enum, []),
        (BaseModel, []),
    ],
    ids=repr,
)
def test_the_data_types_that_schemas_name_are_trusted(annotation: object, names: list[str]) -> None:
    assert names_of(graph_of(annotation)) == names


def test_what_nodes_and_subgraphs_take_and_return_is_trusted_too() -> None:
    def takes(_: Chunk) -> Command[Any]:
        return Command(goto=[Send("inside", Animal("cat"))])

    def returns(_: dict[str, Any]) -> list[Point]:
        return []

    graph: Any = StateGraph(MessagesState)
    graph.add_node("takes", takes)
    graph.add_node("returns", returns)
    graph.add_node("inside", graph_of(Animal))
    graph.add_edge(START, "takes")
    assert names_of(graph.compile()) == ["Animal", "Cat", "Chunk", "Point"]
