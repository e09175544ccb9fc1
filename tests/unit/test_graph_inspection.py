"""A graph is looked at in a process of its own, whatever that does to the process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from factories import write_project

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.inspection import SubprocessGraphInspector
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry

GRAPH = """
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

print("hello from the import")

class State(TypedDict):
    text: str

async def say(state: State) -> State:
    return {"text": "!"}

graph = StateGraph(State)
graph.add_node("say", say, timeout=60.0)
graph.add_edge(START, "say")
graph.add_conditional_edges("say", lambda state: "again" if state["text"] else END, ["say", END])

guarded = StateGraph(State)
guarded.set_node_defaults(error_handler=say)
guarded.add_node("say", say)
guarded.add_edge(START, "say")
guarded = guarded.compile()

loose = StateGraph(State)
loose.add_node("say", say)

number = 3
"""
Inspect = Callable[..., SubprocessGraphInspector]


@pytest.fixture
def inspector_of(tmp_path: Path) -> Inspect:
    def inspector(text: str = GRAPH, *, timeout: float = 60.0) -> SubprocessGraphInspector:
        project = write_project(tmp_path / "project", {"graph.py": text})
        return SubprocessGraphInspector(ProjectRegistry([project.file]), timeout_seconds=timeout)

    return inspector


async def test_the_topology_is_what_the_graph_says_of_itself(inspector_of: Inspect) -> None:
    found = await inspector_of().inspect_graph("project", "./graph.py:graph")
    assert found["nodes"] == ["say"]
    assert {(e["source"], e["target"], e["conditional"]) for e in found["edges"]} == {
        ("__start__", "say", False),
        ("say", "say", True),
        ("say", "__end__", True),
    }
    assert found["mermaid"].startswith("---")
    assert found["input_schema"]["properties"]["text"]["type"] == "string"


async def test_a_compiled_graph_with_an_error_handler_is_described(inspector_of: Inspect) -> None:
    found = await inspector_of().inspect_graph("project", "./graph.py:guarded")
    assert "say" in found["nodes"]


async def test_a_variant_that_fits_is_accepted(inspector_of: Inspect) -> None:
    await inspector_of().inspect_graph("project", "./graph.py:graph", [("say", "./graph.py:say")])


@pytest.mark.parametrize(
    ("reference", "message"),
    [("./graph.py:number", "is a int, not a node"), ("./graph.py:missing", "defines no 'missing'")],
)
async def test_a_variant_that_does_not_fit_is_refused(
    inspector_of: Inspect, reference: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=f"implementation: .*{message}"):
        await inspector_of().inspect_graph("project", "./graph.py:graph", [("say", reference)])


async def test_a_graph_that_does_not_compile_is_refused(inspector_of: Inspect) -> None:
    with pytest.raises(InvalidInput, match=r"'./graph.py:loose' does not compile: ValueError"):
        await inspector_of().inspect_graph("project", "./graph.py:loose")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\nos._exit(7)\ngraph = 1", r"ended its process \(exit code 7\)"),
        ("import sys\nsys.exit('no key')\ngraph = 1", "ended its process .*: no key"),
        ("import no_such_module\ngraph = 1", "does not load: ModuleNotFoundError"),
    ],
)
async def test_a_graph_that_ends_its_process_is_refused(
    inspector_of: Inspect, text: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        await inspector_of(text).inspect_graph("project", "./graph.py:graph")


async def test_a_graph_that_takes_too_long_to_load_is_refused(inspector_of: Inspect) -> None:
    hangs = "import time\ntime.sleep(3600)\ngraph = 1"
    with pytest.raises(InvalidInput, match=r"longer than 0.5 s"):
        await inspector_of(hangs, timeout=0.5).inspect_graph("project", "./graph.py:graph")


LOSSY = """
import os

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

class Connection:
    pass

class State(TypedDict):
    connection: Connection

class Plain(TypedDict):
    text: str

graph = StateGraph(State)
graph.add_node("node", lambda state: {})
graph.add_edge(START, "node")

host = StateGraph(Plain)
host.add_node(os.environ["LANGGRAPH_STRICT_MSGPACK"], lambda state: {})
host.add_edge(START, os.environ["LANGGRAPH_STRICT_MSGPACK"])

inside = graph.compile()
"""


async def test_a_state_that_checkpoints_would_lose_is_refused(inspector_of: Inspect) -> None:
    with pytest.raises(InvalidInput, match=r"graph: the state's 'connection' holds .*Connection"):
        await inspector_of(LOSSY).inspect_graph("project", "./graph.py:graph")


async def test_a_variant_whose_state_checkpoints_would_lose_is_refused(
    inspector_of: Inspect,
) -> None:
    variants = [("true", "./graph.py:inside")]
    with pytest.raises(InvalidInput, match=r"graph: the state's 'connection' holds .*Connection"):
        await inspector_of(LOSSY).inspect_graph("project", "./graph.py:host", variants)


async def test_graphs_are_looked_at_with_langgraph_in_its_strict_mode(
    inspector_of: Inspect,
) -> None:
    found = await inspector_of(LOSSY).inspect_graph("project", "./graph.py:host")
    assert found["nodes"] == ["true"]
