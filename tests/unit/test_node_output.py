"""What a checkpoint cannot hold is found in the output of the node that returned it."""

import dataclasses
import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from wtb_async.infrastructure.checkpoints.boundary_log import BoundaryLog
from wtb_async.infrastructure.langgraph.node_boundaries import observe_nodes
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.plain_json import NotStorable

NAN = float("nan")


class State(TypedDict, total=False):
    """Keys of every kind: replaced, added up, and collected."""

    text: Any
    total: Annotated[float, operator.add]
    seen: Annotated[list[Any], lambda seen, new: [*seen, new]]


class Other(TypedDict):
    """The state of a subgraph that shares nothing with its parent."""

    other: str


@dataclasses.dataclass
class AsDataclass:
    text: Any = None


class AsModel(BaseModel):
    text: Any = None


def graph_of(output: object, state: type = State) -> Compiled:
    async def node(_: dict[str, Any]) -> object:
        return output

    graph: Any = StateGraph(state)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    compiled: Compiled = graph.compile()
    return compiled


async def run(graph: Compiled, given: object = None) -> None:
    await observe_nodes(graph, BoundaryLog(), max_value_bytes=100).ainvoke(given or {})


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("a\x00b", "the text holds a NUL byte"),
        ("a\ud800", "the text holds a lone surrogate"),
        (NAN, "nan is not a JSON number"),
        (float("-inf"), "-inf is not a JSON number"),
        (2**64, "the number takes more than 64 bits"),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "form",
    [
        lambda value: {"text": value},
        lambda value: Command(update={"text": value}),
        lambda value: Command(update=[("text", value)]),
        lambda value: [{"text": "fine"}, Command(update={"text": value})],
        AsDataclass,
        lambda value: AsModel(text=value),
        lambda value: Command(update=AsDataclass(value)),
    ],
)
async def test_a_scalar_that_cannot_be_stored_fails_its_node(
    form: Callable[[object], object], value: object, problem: str
) -> None:
    with pytest.raises(NotStorable, match=f"^text: {problem}") as caught:
        await run(graph_of(form(value)))
    assert caught.value.__notes__[0].startswith("During task with name 'node'")


@pytest.mark.parametrize(
    "update",
    [
        {"text": [NAN, "\x00"]},
        {"text": {"deep": NAN}},
        {"seen": NAN},
        {"seen": "\x00"},
        {"unknown": NAN},
        {"total": 1.5, "text": True},
        {"text": None},
        None,
    ],
    ids=repr,
)
async def test_what_is_stored_as_bytes_may_be_anything(update: object) -> None:
    await run(graph_of(update), {"seen": []})


async def test_a_sum_that_cannot_be_stored_fails_its_node() -> None:
    with pytest.raises(NotStorable, match=r"^total: nan"):
        await run(graph_of({"total": NAN}))


async def test_a_state_without_keys_is_checked_whole() -> None:
    with pytest.raises(NotStorable, match=r"^__root__: nan"):
        await run(graph_of(NAN, float), 1.0)


async def test_a_subgraph_names_its_own_node() -> None:
    graph: Any = StateGraph(State)
    graph.add_node("inside", graph_of({"text": NAN}))
    graph.add_edge(START, "inside")
    with pytest.raises(NotStorable) as caught:
        await run(graph.compile())
    assert caught.value.__notes__[0].startswith("During task with name 'node'")


async def test_a_command_for_the_graph_above_is_checked_there() -> None:
    graph: Any = StateGraph(State)
    update: Command[Any] = Command(graph=Command.PARENT, update={"text": NAN})
    graph.add_node("inside", graph_of(update, Other))
    graph.add_edge(START, "inside")
    with pytest.raises(NotStorable, match=r"^text: nan"):
        await run(graph.compile())


async def test_a_question_that_cannot_be_shown_fails_its_node() -> None:
    async def node(_: dict[str, Any]) -> None:
        interrupt({"which": "\x00"})

    graph: Any = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    with pytest.raises(NotStorable, match=r"^interrupt\.which: the text holds a NUL byte"):
        await run(graph.compile())
