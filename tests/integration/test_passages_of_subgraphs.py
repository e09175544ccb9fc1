"""Graphs inside of graphs that pause in their own ways end as they would have, from anywhere."""

from collections.abc import Callable
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from passages import Travel
from random_graphs import State
from savers import group_commit_saver

from wtb_async.domain.execution import PauseReason
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.postgres.database import Database


def first(state: State) -> State:
    return {"log": [f"first after {len(state['log'])}"]}


def second(state: State) -> State:
    return {"log": [f"second after {len(state['log'])}"]}


def asking(state: State) -> State:
    return {"log": [f"{interrupt('what?')} after {len(state['log'])}"]}


def chain(**nodes: Any) -> StateGraph[State, None, State, State]:  # noqa: ANN401 - any node
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    for name, node in nodes.items():
        graph.add_node(name, node)
    for source, target in zip((START, *nodes), (*nodes, END), strict=True):
        graph.add_edge(source, target)
    return graph


def calling(inner: Compiled) -> Any:  # noqa: ANN401 - any node
    hidden = [inner]

    async def call(state: State) -> State:
        return {"log": [str((await hidden[0].ainvoke({"log": []}))["log"]), *state["log"]]}

    return call


INNER: dict[str, tuple[Callable[[], Any], PauseReason]] = {
    "with a thread of its own": (
        lambda: chain(first=first, ask=asking, second=second).compile(checkpointer=True),
        PauseReason.INTERRUPT,
    ),
    "with breakpoints of its own": (
        lambda: chain(first=first, second=second).compile(interrupt_before=["second"]),
        PauseReason.BREAKPOINT,
    ),
    "called by a node": (
        lambda: calling(chain(first=first, ask=asking, second=second).compile()),
        PauseReason.INTERRUPT,
    ),
}


@pytest.mark.parametrize("kind", INNER)
async def test_a_graph_whose_subgraph_pauses_ends_the_same_from_every_checkpoint(
    database: Database, database_url: str, kind: str
) -> None:
    make, reason = INNER[kind]
    async with group_commit_saver(database_url) as saver:
        graph = chain(before=first, inner=make(), after=second).compile(checkpointer=saver)
        travel = Travel(database, saver, graph)
        thread = await travel.begin()
        assert travel.outcomes[0].pause_reason is reason
        assert travel.outcomes[0].next_nodes == ("inner",)
        expected = await travel.finish(thread)
        places = await travel.timeline(thread)
        assert [place.step for place in places] == [3, 2, 1, 0, -1]
        for place in places:
            assert await travel.from_checkpoint(thread, place.id) == expected
