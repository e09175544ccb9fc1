"""Which nodes a project may give processes of their own."""

from pathlib import Path

import pytest
from arranging import new_workflow
from factories import write_project
from passages import claimed_run

from wtb_async.application.ids import new_id
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.execution import Limits
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.in_process.code import InProcessCode, InProcessObjects
from wtb_async.infrastructure.langgraph.graph_examination import examine_graph
from wtb_async.infrastructure.langgraph.graph_loader import load_graph
from wtb_async.infrastructure.langgraph.node_replacement import builder_of, compile_like
from wtb_async.infrastructure.node_process.moving import NodeMover
from wtb_async.infrastructure.node_process.pool import NodeProcesses

GRAPHS = """
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

class State(TypedDict, total=False):
    text: str

def say(state):
    return {"text": "!"}

inner = StateGraph(State).add_node("say", say).add_edge(START, "say").compile()

def calls(state):
    return inner.invoke(state)

outer = StateGraph(State).add_node("say", say).add_node("inner", inner).add_node("calls", calls)
outer.add_edge(START, "say").add_edge("say", "inner").add_edge("inner", "calls")
"""


NAMED: JsonObject = {"talk": "./graphs.py:outer"}


async def examine(
    folder: Path, processes: object, variants: list[tuple[str, str]] | None = None
) -> object:
    wtb = {"workspaces": {"talk": {"processes": processes}}}
    project = write_project(folder / "project", {"graphs.py": GRAPHS}, graphs=NAMED, wtb=wtb)
    return await examine_graph(project, "./graphs.py:outer", variants or [], "talk")


async def test_nodes_of_plain_code_may_have_one(tmp_path: Path) -> None:
    assert await examine(tmp_path, ["say"])


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("sya", "the graph has no node 'sya'; its nodes are: say, inner, calls"),
        ("__start__", "no node '__start__'"),
        ("inner", "node 'inner' is or calls a graph"),
        ("calls", "node 'calls' is or calls a graph"),
    ],
)
async def test_others_are_refused_with_the_field(tmp_path: Path, node: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        await examine(tmp_path, [node])
    assert [each.field for each in caught.value.violations] == ["processes"]


async def test_a_variant_that_is_a_graph_cannot_have_its_node_s(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="node 'say' is or calls a graph"):
        await examine(tmp_path, ["say"], [("say", "./graphs.py:inner")])


async def test_an_object_of_this_process_cannot_have_one(tmp_path: Path) -> None:
    wtb: JsonObject = {"workspaces": {"talk": {"processes": ["say"]}}}
    project = write_project(tmp_path / "project", {"graphs.py": GRAPHS}, graphs=NAMED, wtb=wtb)
    source = InProcessCode(project, objects := InProcessObjects())
    workflow = new_workflow("talk", project="graphs")
    workflow.graph = objects.put("talk", await load_graph(project, "./graphs.py:outer"))
    graph = compile_like(outer := await load_graph(source, workflow.graph), builder_of(outer))
    processes = NodeProcesses(most=1, idle_seconds=1.0, start_seconds=1.0)
    run = claimed_run(new_id(), limits=Limits())
    with pytest.raises(InvalidInput, match="cannot load 'memory/talk:StateGraph'"):
        NodeMover(processes, limit_bytes=1024).move(graph, run, workflow, source)


@pytest.mark.parametrize("processes", ["say", [1], {"say": True}, None])
async def test_anything_but_a_list_of_names_is_no_langgraph_json(
    tmp_path: Path, processes: object
) -> None:
    with pytest.raises(InvalidInput, match=r"wtb\.workspaces\.talk\.processes"):
        await examine(tmp_path, processes)
