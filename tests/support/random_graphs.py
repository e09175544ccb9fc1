"""Random graphs of every shape that a timeline can have, and how to run them to their end."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from itertools import cycle
from operator import add
from typing import Annotated, Any, Protocol

from hypothesis import strategies as st
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Interrupt, Send, interrupt
from savers import on
from typing_extensions import TypedDict

from wtb_async.infrastructure.langgraph.node_replacement import Compiled

KINDS = ("plain", "parallel", "send", "loop", "ask", "ask_both", "ask_twice", "subgraph", "nested")
plans = st.lists(st.sampled_from(KINDS), min_size=1, max_size=4)
"""A graph is a chain of segments; each is one of these kinds."""

EVERY_KIND = (*KINDS, "ask_each")
every_plan = st.lists(st.sampled_from(EVERY_KIND), min_size=1, max_size=4)
"""With segments too that keep questions in no particular order."""


def _concatenated(seen: list[str], batches: Sequence[list[str]]) -> list[str]:
    return [*seen, *(line for batch in batches for line in batch)]


class State(TypedDict, total=False):
    """What ran, twice: in a channel of whole values, and in one that keeps differences."""

    item: str
    log: Annotated[list[str], add]
    changes: Annotated[list[str], DeltaChannel(_concatenated, snapshot_frequency=3)]


Graph = StateGraph[State, None, State, State]

ON_NODE: ContextVar[Callable[[str], None] | None] = ContextVar("on_node", default=None)
"""Told what each node has to say, from the node's thread and before anything of it is saved."""


class Node(Protocol):
    """A plain function as a node."""

    def __call__(self, state: State) -> State: ...


def compile_plan(plan: Sequence[str], saver: BaseCheckpointSaver[str] | None) -> Compiled:
    """The graph of a plan."""
    return build_plan(plan).compile(checkpointer=saver)


def build_plan(plan: Sequence[str]) -> Graph:
    """The graph of a plan, not yet compiled."""
    graph: Graph = StateGraph(State)
    before = START
    for number, kind in enumerate(plan):
        before = _SEGMENTS[kind](graph, f"{kind}{number}", before)
    graph.add_edge(before, END)
    return graph


Given = State | Command[Any] | None
"""An input, answers, or nothing for a thread to go on."""


def answers_to(questions: Iterable[Interrupt]) -> Command[Any]:
    """An answer to each."""
    return Command(resume={asked.id: f"re {asked.value}" for asked in questions})


async def run_to_end(graph: Compiled, given: Given, thread: str) -> dict[str, Any]:
    """Run, answer every question that comes up, and return the final values."""
    return await run_in_turns([graph], given, thread)


async def run_in_turns(graphs: Sequence[Compiled], given: Given, thread: str) -> dict[str, Any]:
    """Run to the end; whenever questions come up the next graph answers them and goes on."""
    config: RunnableConfig = {**on(thread), "recursion_limit": 100}
    turns = cycle(graphs)
    result = await next(turns).ainvoke(given, config, durability="sync", version="v2")
    while result.interrupts:
        answers = answers_to(result.interrupts)
        result = await next(turns).ainvoke(answers, config, durability="sync", version="v2")
    return dict(result.value)


def _noted(line: str) -> State:
    if (seen_by := ON_NODE.get()) is not None:
        seen_by(line)
    return {"log": [line], "changes": [line]}


def _noting(name: str) -> Node:
    def note(state: State) -> State:
        return _noted(f"{name} {state.get('item', '')} after {len(state.get('log', ()))}")

    return note


def _asking(name: str) -> Node:
    def ask(state: State) -> State:
        return _noted(f"{name}: {interrupt(name)} after {len(state.get('log', ()))}")

    return ask


def _asking_twice(name: str) -> Node:
    def ask(state: State) -> State:
        told = [interrupt(f"{name} {which}") for which in ("first", "second")]
        return _noted(f"{name}: {told} after {len(state.get('log', ()))}")

    return ask


def _plain(graph: Graph, name: str, before: str) -> str:
    return _one(graph, name, before, _noting(name))


def _ask(graph: Graph, name: str, before: str) -> str:
    return _one(graph, name, before, _asking(name))


def _one(graph: Graph, name: str, before: str, node: Node | Compiled) -> str:
    graph.add_node(name, node)
    graph.add_edge(before, name)
    return name


def _parallel(graph: Graph, name: str, before: str) -> str:
    return _both(graph, name, before, _noting(f"{name}_right"))


def _ask_both(graph: Graph, name: str, before: str) -> str:
    return _both(graph, name, before, _asking(f"{name}_right"))


def _both(graph: Graph, name: str, before: str, right: Node) -> str:
    """Two side by side, one of them longer; the join waits for both, a deferred node for all."""
    _one(graph, f"{name}_left", before, _noting(f"{name}_left"))
    _one(graph, f"{name}_more", f"{name}_left", _noting(f"{name}_more"))
    _one(graph, f"{name}_right", before, right)
    graph.add_node(f"{name}_join", _noting(f"{name}_join"))
    graph.add_edge([f"{name}_more", f"{name}_right"], f"{name}_join")
    graph.add_node(f"{name}_last", _noting(f"{name}_last"), defer=True)
    graph.add_edge(f"{name}_left", f"{name}_last")
    graph.add_edge(f"{name}_join", f"{name}_last")
    return f"{name}_last"


def _send(graph: Graph, name: str, before: str) -> str:
    def scatter(state: State) -> list[Send]:
        return [Send(name, {"item": str(n), "log": state.get("log", [])}) for n in range(3)]

    _one(graph, f"{name}_source", before, _noting(f"{name}_source"))
    graph.add_conditional_edges(f"{name}_source", scatter, [name])
    graph.add_node(name, _noting(name))
    return _one(graph, f"{name}_end", name, _noting(f"{name}_end"))


def _ask_twice(graph: Graph, name: str, before: str) -> str:
    return _one(graph, name, before, _asking_twice(name))


def _ask_each(graph: Graph, name: str, before: str) -> str:
    """Each of three that are sent asks, and so do two that are within one node."""

    def ask(state: State) -> State:
        item = f"{name} {state['item']}"
        return _noted(f"{item}: {interrupt(item)}")

    def scatter(state: State) -> list[Send]:
        return [Send(name, {"item": str(n), "log": state.get("log", [])}) for n in range(3)]

    _one(graph, f"{name}_source", before, _noting(f"{name}_source"))
    graph.add_conditional_edges(f"{name}_source", scatter, [name])
    graph.add_node(name, ask)
    _one(graph, f"{name}_inner", f"{name}_source", _asking_side_by_side(f"{name}_inner"))
    graph.add_node(f"{name}_end", _noting(f"{name}_end"), defer=True)
    graph.add_edge(name, f"{name}_end")
    graph.add_edge(f"{name}_inner", f"{name}_end")
    return f"{name}_end"


def _asking_side_by_side(name: str) -> Compiled:
    inner: Graph = StateGraph(State)
    for side in ("left", "right"):
        _one(inner, f"{name}_{side}", START, _asking_twice(f"{name}_{side}"))
    return inner.compile()


def _loop(graph: Graph, name: str, before: str) -> str:
    def again(state: State) -> str:
        rounds = sum(line.startswith(f"{name} ") for line in state["log"])
        return name if rounds < 3 else f"{name}_end"

    _one(graph, name, before, _noting(name))
    graph.add_node(f"{name}_end", _noting(f"{name}_end"))
    graph.add_conditional_edges(name, again, [name, f"{name}_end"])
    return f"{name}_end"


def _subgraph(graph: Graph, name: str, before: str) -> str:
    """A subgraph whose result is one line, beside a plain node that finishes first."""
    _one(graph, f"{name}_beside", before, _noting(f"{name}_beside"))
    _one(graph, name, before, _wrapped(name, compile_plan(["plain", "ask", "plain"], None)))
    graph.add_node(f"{name}_join", _noting(f"{name}_join"))
    graph.add_edge([name, f"{name}_beside"], f"{name}_join")
    return f"{name}_join"


def _nested(graph: Graph, name: str, before: str) -> str:
    """A subgraph as a node, with another one inside."""
    return _one(graph, name, before, compile_plan(["subgraph", "send"], None))


def _wrapped(name: str, inner: Compiled) -> Node:
    """Call a subgraph from within a node, which LangGraph keeps checkpoints of all the same."""

    def call(state: State) -> State:
        result = inner.invoke({"item": state.get("item", ""), "log": []})
        line = f"{name}: {result['log']}"
        return {"log": [line], "changes": [line]}

    return call


_SEGMENTS: dict[str, Callable[[Graph, str, str], str]] = {
    "plain": _plain,
    "parallel": _parallel,
    "send": _send,
    "loop": _loop,
    "ask": _ask,
    "ask_both": _ask_both,
    "ask_twice": _ask_twice,
    "ask_each": _ask_each,
    "subgraph": _subgraph,
    "nested": _nested,
}
