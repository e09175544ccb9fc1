"""A node without callbacks does and shows what LangGraph's own does."""

import copy
from contextvars import ContextVar
from typing import Any, TypedDict
from uuid import UUID

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, StateGraph

from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.quiet_node import QuietNode, quieten

NOTE: ContextVar[str] = ContextVar("note", default="")


class State(TypedDict, total=False):
    """What the nodes saw."""

    first: str
    second: str


class Listener(AsyncCallbackHandler):
    """Writes down what starts, and with which metadata."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, dict[str, Any]]] = []

    async def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401 - LangChain's signature
    ) -> None:
        del serialized, inputs, run_id, parent_run_id, tags
        kept = {name: value for name, value in (metadata or {}).items() if "checkpoint" not in name}
        self.heard.append((kwargs.get("name"), kept))


def graph_of(inside: Listener) -> Compiled:
    """Two nodes; the second calls a runnable that has a listener of its own."""

    async def first(state: State) -> State:
        del state
        NOTE.set("left by the first node")
        return {"first": "done"}

    async def second(state: State) -> State:
        del state
        inner: RunnableLambda[None, str] = RunnableLambda(lambda _: NOTE.get(), name="inner")
        return {"second": await inner.ainvoke(None, {"callbacks": [inside]})}

    builder = StateGraph(State)
    builder.add_node("first", first)
    builder.add_node("second", second, metadata={"team": "blue"})
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    return builder.compile()


def quiet(graph: Compiled) -> Compiled:
    """The same graph with quiet nodes."""
    other = copy.copy(graph)
    other.nodes = {
        name: quieten(node.copy({})) if name != START else node
        for name, node in graph.nodes.items()
    }
    assert isinstance(other.nodes["first"].node, QuietNode)
    return other


async def run(graph: Compiled, config: RunnableConfig) -> Any:  # noqa: ANN401 - a graph's output
    return await graph.ainvoke({}, config)


async def test_nodes_write_the_same_and_share_no_context_variables() -> None:
    graph = graph_of(Listener())
    assert await run(quiet(graph), {}) == await run(graph, {}) == {"first": "done", "second": ""}


async def test_a_listener_inside_a_node_gets_the_same_metadata() -> None:
    expected, found = Listener(), Listener()
    config: RunnableConfig = {"metadata": {"who": "me"}, "configurable": {"thread_id": "1"}}
    await run(graph_of(expected), config)
    await run(quiet(graph_of(found)), config)
    assert found.heard == expected.heard
    [(name, metadata)] = found.heard
    assert name == "inner"
    assert {("team", "blue"), ("who", "me"), ("langgraph_node", "second")} <= set(metadata.items())


@pytest.mark.parametrize("run_name", [None, "mine"])
async def test_a_listener_of_the_graph_hears_of_every_node(run_name: str | None) -> None:
    expected, found = Listener(), Listener()
    graph = graph_of(Listener())
    for listener, of in ((expected, graph), (found, quiet(graph))):
        config: RunnableConfig = {"callbacks": [listener]}
        await run(of, config | {"run_name": run_name} if run_name else config)
    assert found.heard == expected.heard
    assert [name for name, _ in found.heard if name in {"first", "second"}] == ["first", "second"]
