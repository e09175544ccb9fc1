"""A gate stops the graph in front of its node, and leaves no trace of having done so."""

import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, RetryPolicy, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.langgraph.gates import close_gates, noting_gates
from wtb_async.infrastructure.langgraph.node_replacement import Builder, Compiled

THREAD: RunnableConfig = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]


class Wanted(BaseModel):
    """What a node wants that reads more than there is."""

    missing: str


Node = Callable[..., Any]


def says(word: str) -> Node:
    async def node(_: State) -> State:
        return {"seen": [word]}

    return node


async def asks(_: State) -> State:
    return {"seen": [interrupt("what?")]}


async def picky(wanted: Wanted) -> State:
    return {"seen": [wanted.missing]}


def side_by_side(gated: Node | None = None, **policies: Any) -> Compiled:  # noqa: ANN401
    """`left` and `gated` in one superstep."""
    graph: Builder = StateGraph(State)
    graph.add_node("left", says("left"))
    graph.add_node("gated", gated or says("right"), **policies)
    graph.add_edge(START, "left")
    graph.add_edge(START, "gated")
    return graph.compile(checkpointer=InMemorySaver(), cache=InMemoryCache())


async def reached(graph: Compiled, *gates: str, config: RunnableConfig = THREAD) -> set[str]:
    with noting_gates() as found:
        result = await close_gates(graph, gates).ainvoke({"seen": []}, config, version="v2")
    assert result.interrupts == ()
    return found


async def test_nodes_beside_a_gate_finish_and_their_writes_are_kept() -> None:
    graph = side_by_side()
    assert await reached(graph, "gated") == {"gated"}
    snapshot = await graph.aget_state(THREAD)
    assert snapshot.next == ("gated",)
    assert snapshot.interrupts == ()
    assert sorted((await graph.ainvoke(None, THREAD))["seen"]) == ["left", "right"]


async def test_a_gate_stores_nothing_about_itself() -> None:
    graph = side_by_side()
    await reached(graph, "gated")
    assert isinstance(graph.checkpointer, InMemorySaver)
    found = await graph.checkpointer.aget_tuple(THREAD)
    assert found is not None
    [left_task] = {task_id for task_id, *_ in found.pending_writes or ()}
    snapshot = await graph.aget_state(THREAD)
    assert left_task == next(task.id for task in snapshot.tasks if task.name == "left")


async def test_a_question_beside_a_gate_stays_open() -> None:
    graph = side_by_side(asks)
    with noting_gates() as found:
        result = await close_gates(graph, ["left"]).ainvoke({"seen": []}, THREAD, version="v2")
    assert found == {"left"}
    assert [each.value for each in result.interrupts] == ["what?"]


@pytest.mark.parametrize(
    "policies", [{"cache_policy": CachePolicy()}, {"retry_policy": RetryPolicy()}]
)
async def test_no_policy_of_the_node_opens_its_gate(policies: dict[str, Any]) -> None:
    graph = side_by_side(**policies)
    await graph.ainvoke({"seen": []}, THREAD)
    again: RunnableConfig = {"configurable": {"thread_id": "again"}}
    assert await reached(graph, "gated", config=again) == {"gated"}


async def test_no_policy_of_the_whole_graph_opens_a_gate() -> None:
    graph = side_by_side()
    graph.cache_policy = CachePolicy()
    await graph.ainvoke({"seen": []}, THREAD)
    again: RunnableConfig = {"configurable": {"thread_id": "again"}}
    assert await reached(graph, "gated", config=again) == {"gated"}


async def test_a_gate_wants_nothing_of_what_its_node_wants() -> None:
    policies: dict[str, Any] = {"input_schema": Wanted}
    graph = side_by_side(picky, **policies)
    assert await reached(graph, "gated") == {"gated"}


async def test_a_gate_is_reached_once_however_often_its_node_is_sent_to() -> None:
    graph: Builder = StateGraph(State)
    graph.add_node("gated", says("right"))
    graph.add_conditional_edges(START, lambda _: [Send("gated", {})] * 3, ["gated"])
    compiled = graph.compile(checkpointer=InMemorySaver())
    assert await reached(compiled, "gated") == {"gated"}
    assert (await compiled.ainvoke(None, THREAD))["seen"] == ["right"] * 3


async def test_a_gate_that_is_not_reached_changes_nothing() -> None:
    graph: Builder = StateGraph(State)
    graph.add_node("left", says("left"))
    graph.add_node("gated", says("right"))
    graph.add_edge(START, "left")
    compiled = graph.compile(checkpointer=InMemorySaver())
    assert await reached(compiled, "gated") == set()
    assert (await compiled.aget_state(THREAD)).next == ()


async def test_a_graph_without_such_a_node_is_refused_and_none_is_needed_without_gates() -> None:
    graph = side_by_side()
    with pytest.raises(NotFound, match="elsewhere"):
        close_gates(graph, ["elsewhere"])
    assert close_gates(graph, []) is graph
    assert "gated" in graph.nodes
