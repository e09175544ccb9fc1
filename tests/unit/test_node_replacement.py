"""A node can be replaced, and nothing else about its graph changes."""

import asyncio
import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.graph import END, START, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, Command, RetryPolicy
from typing_extensions import TypedDict

from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.langgraph.graph_loader import Graph
from wtb_async.infrastructure.langgraph.node_replacement import (
    Builder,
    Compiled,
    Replacement,
    compile_like,
    replace_nodes,
)


class State(TypedDict, total=False):
    seen: Annotated[list[str], operator.add]
    route: str


Node = Callable[..., Any]
QUICKLY = RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=3)


def says(word: str) -> Node:
    async def node(_: State) -> State:
        return {"seen": [word]}

    return node


def says_at_once(word: str) -> Node:
    def node(_: State) -> State:
        return {"seen": [word]}

    return node


def chain(**policies: Any) -> Builder:  # noqa: ANN401 - arguments of `add_node`
    """`first`, then `second`, which has these policies."""
    graph: Builder = StateGraph(State)
    graph.add_node("first", says("first"))
    graph.add_node("second", says("second"), **policies)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph


def with_second(graph: Graph, implementation: object, *, variant: str = "other") -> Compiled:
    builder = replace_nodes(graph, {"second": Replacement(variant, implementation)})
    return compile_like(graph, builder)


async def seen(graph: Compiled, **given: Any) -> list[str]:  # noqa: ANN401 - parts of the state
    found: list[str] = (await graph.ainvoke({"seen": [], **given}))["seen"]
    return found


@pytest.mark.parametrize(
    "implementation", [says("other"), says_at_once("other"), RunnableLambda(says("other"))]
)
@pytest.mark.parametrize("compiled", [True, False])
async def test_the_variant_runs_in_its_nodes_place(compiled: bool, implementation: object) -> None:
    graph = chain().compile() if compiled else chain()
    assert await seen(with_second(graph, implementation)) == ["first", "other"]


@pytest.mark.parametrize("compiled", [True, False])
async def test_the_graph_itself_stays_as_it_was(compiled: bool) -> None:
    builder = chain()
    graph: Graph = builder.compile() if compiled else builder
    before = dict(builder.nodes)
    await seen(with_second(graph, says("other")))
    assert builder.nodes == before
    assert await seen(compile_like(graph, replace_nodes(graph, {}))) == ["first", "second"]


async def test_a_graph_becomes_a_variant_of_a_variant() -> None:
    once = with_second(chain(), says("other"))
    assert await seen(with_second(once, says("third"))) == ["first", "third"]


async def test_several_nodes_are_replaced_together() -> None:
    graph = chain()
    replacements = {node: Replacement("x", says(f"new {node}")) for node in ("first", "second")}
    both = compile_like(graph, replace_nodes(graph, replacements))
    assert await seen(both) == ["new first", "new second"]


async def test_a_whole_graph_may_take_a_nodes_place() -> None:
    inner = with_second(chain(), says("inner"))
    assert await seen(with_second(chain(), inner)) == ["first", "first", "first", "inner"]


def test_a_node_that_the_graph_lacks_is_not_found() -> None:
    with pytest.raises(NotFound, match="no node 'third'"):
        replace_nodes(chain(), {"third": Replacement("x", says("x"))})


def test_every_policy_of_the_node_stays() -> None:
    policies: dict[str, Any] = {
        "retry_policy": QUICKLY,
        "timeout": 60.0,
        "metadata": {"team": "search"},
        "defer": True,
        "input_schema": State,
    }
    graph = chain(**policies)
    old = graph.nodes["second"]
    new = replace_nodes(graph, {"second": Replacement("x", says("x"))}).nodes["second"]
    for field in (*policies, "trace_policy", "ends", "is_error_handler", "error_handler_node"):
        assert getattr(new, field) == getattr(old, field), field


async def test_a_variant_is_retried_as_its_node_was() -> None:
    failures = ["once", "twice"]

    async def unstable(_: State) -> State:
        if failures:
            raise ConnectionError(failures.pop())
        return {"seen": ["third time"]}

    assert await seen(with_second(chain(retry_policy=QUICKLY), unstable)) == ["first", "third time"]


@pytest.mark.parametrize(
    "implementation", [says("other"), says_at_once("other"), RunnableLambda(says("other"))]
)
@pytest.mark.parametrize("by_default", [True, False])
async def test_any_variant_may_take_the_place_of_a_node_with_a_timeout(
    by_default: bool, implementation: object
) -> None:
    graph = chain() if by_default else chain(timeout=60.0)
    if by_default:
        graph.set_node_defaults(timeout=60.0)
    assert await seen(with_second(graph, implementation)) == ["first", "other"]


@pytest.mark.parametrize("by_default", [True, False])
async def test_variants_do_not_answer_from_each_others_cache(by_default: bool) -> None:
    policy: CachePolicy[Any] = CachePolicy()
    graph = chain() if by_default else chain(cache_policy=policy)
    if by_default:
        graph.set_node_defaults(cache_policy=policy)
    base = graph.compile(cache=InMemoryCache())
    answers = [await seen(with_second(base, says(word), variant=word)) for word in "ab"]
    assert answers == [["first", "a"], ["first", "b"]]
    assert await seen(base) == ["first", "second"]


async def test_a_variant_answers_from_its_own_cache() -> None:
    calls: list[State] = []

    async def counted(state: State) -> State:
        calls.append(state)
        return {"seen": ["counted"]}

    graph = with_second(chain(cache_policy=CachePolicy()).compile(cache=InMemoryCache()), counted)
    assert [await seen(graph) for _ in range(2)] == [["first", "counted"]] * 2
    assert len(calls) == 1


@pytest.mark.parametrize("route", ["left", "right"])
async def test_conditional_edges_lead_where_they_led(route: str) -> None:
    graph = chain()
    for name in ("left", "right"):
        graph.add_node(name, says(name))
    graph.edges.remove(("second", END))
    graph.add_conditional_edges("second", lambda state: state["route"], ["left", "right"])
    replaced = with_second(graph, says("other"))
    assert await seen(replaced, route=route) == ["first", "other", route]


async def test_a_variant_may_go_where_its_node_could_go() -> None:
    async def chooses(state: State) -> Command[Literal["left"]]:
        return Command(goto=["left"] if state else [], update={"seen": ["chose"]})

    async def chooses_unannounced(_: State) -> Any:  # noqa: ANN401
        return Command(goto="left", update={"seen": ["chose too"]})

    graph: Builder = StateGraph(State)
    graph.add_node("second", chooses)
    graph.add_node("left", says("left"))
    graph.add_edge(START, "second")
    replaced = with_second(graph, chooses_unannounced)
    assert await seen(replaced) == ["chose too", "left"]
    assert [edge.target for edge in replaced.get_graph().edges if edge.source == "second"] == [
        "left"
    ]


async def test_a_join_still_waits_for_all_of_its_branches() -> None:
    graph: Builder = StateGraph(State)
    for name in ("second", "slow", "slower", "join"):
        graph.add_node(name, says(name))
    graph.add_edge(START, "second")
    graph.add_edge(START, "slow")
    graph.add_edge("slow", "slower")
    graph.add_edge(["second", "slower"], "join")
    found = await seen(with_second(graph, says("other")))
    assert found.count("join") == 1
    assert set(found[:-1]) == {"other", "slow", "slower"}


async def breaks(_: State) -> State:
    raise ValueError("broken")


async def test_the_nodes_own_error_handler_still_catches() -> None:
    replaced = with_second(chain(error_handler=says("caught")), breaks)
    assert await seen(replaced) == ["first", "caught"]


@pytest.mark.parametrize("compiled", [True, False])
async def test_the_graphs_error_handler_still_catches(compiled: bool) -> None:
    builder = chain()
    builder.set_node_defaults(error_handler=says("caught"))
    graph: Graph = builder.compile() if compiled else builder
    assert await seen(with_second(graph, breaks)) == ["first", "caught"]
    assert await seen(with_second(graph, says("other"))) == ["first", "other"]


def test_a_compiled_graph_keeps_the_settings_it_was_compiled_with() -> None:
    cache: InMemoryCache[Any] = InMemoryCache()
    store = InMemoryStore()
    graph = chain().compile(
        cache=cache,
        store=store,
        interrupt_before=["first"],
        interrupt_after=["second"],
        name="letters",
    )
    graph = graph.with_config(tags=["fast"])
    graph.step_timeout = 60.0
    replaced = with_second(graph, says("other"))
    assert (replaced.cache, replaced.store) == (cache, store)
    assert replaced.interrupt_before_nodes == ["first"]
    assert replaced.interrupt_after_nodes == ["second"]
    assert (replaced.name, replaced.step_timeout) == ("letters", 60.0)
    assert replaced.config == graph.config


def test_an_argument_wins_over_the_setting_of_the_graph() -> None:
    graph = chain().compile(interrupt_before=["first"], name="letters")
    compiled = compile_like(graph, replace_nodes(graph, {}), interrupt_before=[])
    assert (compiled.interrupt_before_nodes, compiled.name) == ([], "letters")


async def test_a_blocking_variant_of_a_node_with_a_timeout_does_not_hold_the_loop() -> None:
    loop = asyncio.get_running_loop()
    released = asyncio.Event()

    def waits_for_the_loop(_: State) -> State:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return {"seen": ["released"]}

    graph = with_second(chain(timeout=60.0), waits_for_the_loop)
    running = asyncio.create_task(seen(graph))
    released.set()
    assert await running == ["first", "released"]
