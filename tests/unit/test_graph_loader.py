"""References become graphs and nodes, or an error in the words of the user's own code."""

import sys
from pathlib import Path

import pytest
from factories import write_project
from langgraph.graph import StateGraph

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.graph_loader import load_graph, load_node
from wtb_async.infrastructure.langgraph.projects import Project
from wtb_async.infrastructure.langgraph.references import load_attribute

GRAPH = """
from typing import Any
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

class State(TypedDict):
    text: str

def say(state):
    return {"text": state["text"] + "!"}

graph = StateGraph(State)
graph.add_node("say", say)
graph.add_edge(START, "say")
graph.add_edge("say", END)
compiled = graph.compile()

def build(): return graph
def build_compiled(): return compiled
async def build_async(): return graph
def build_with_config(config): return graph if config == {} else None
async def build_async_with_config(config): return graph if config == {} else None
def build_with_optional(config=None): return graph if config is None else None
def build_with_any(*args, **settings): return graph if not args and not settings else None

class Builder:
    def __call__(self): return graph
builder = Builder()

number = 3
runnable = RunnableLambda(say)
def build_nothing(): ...
def build_badly(): raise ValueError("no model here")
def build_of_two(config, runtime): return graph
"""


@pytest.fixture(autouse=True)
def own_search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "project", {"graph.py": GRAPH})


@pytest.mark.parametrize(
    "name",
    [
        "graph",
        "compiled",
        "build",
        "build_compiled",
        "build_async",
        "build_with_config",
        "build_async_with_config",
        "build_with_optional",
        "build_with_any",
        "builder",
    ],
)
async def test_a_graph_may_be_given_in_every_way_that_langgraph_knows(
    project: Project, name: str
) -> None:
    found = await load_graph(project, f"./graph.py:{name}")
    compiled = found.compile() if isinstance(found, StateGraph) else found
    assert await compiled.ainvoke({"text": "hello"}) == {"text": "hello!"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", "graph: './graph.py:number' is a int, not a LangGraph graph"),
        ("build_nothing", "'./graph.py:build_nothing' is a NoneType, not a LangGraph graph"),
        ("build_badly", "the factory './graph.py:build_badly' failed: ValueError: no model here"),
        ("build_of_two", "the factory './graph.py:build_of_two' failed: TypeError: .*'runtime'"),
    ],
)
async def test_what_is_no_graph_is_named(project: Project, name: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        await load_graph(project, f"./graph.py:{name}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0\ngraph = 1", "does not load: ZeroDivisionError: division by zero"),
        ("graph = (", "does not load: SyntaxError: '\\(' was never closed"),
        ("import no_such_module\ngraph = 1", "does not load: ModuleNotFoundError: .*no_such_mod"),
        ("from os.path import *", "does not load: AttributeError: .*'graph'"),
    ],
)
async def test_a_file_that_does_not_load_is_described_by_the_interpreter(
    tmp_path: Path, text: str, message: str
) -> None:
    project = write_project(tmp_path / "project", {"graph.py": text})
    with pytest.raises(InvalidInput, match=message):
        await load_graph(project, "./graph.py:graph")


async def test_a_file_that_failed_to_load_can_be_mended(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", {"graph.py": "1 / 0\ngraph = 1"})
    with pytest.raises(InvalidInput, match="ZeroDivisionError"):
        await load_graph(project, "./graph.py:graph")
    (project.folder / "graph.py").write_text(GRAPH)
    assert isinstance(await load_graph(project, "./graph.py:graph"), StateGraph)


def test_a_file_is_loaded_once(project: Project) -> None:
    first, second = (load_attribute(project, "./graph.py:State") for _ in range(2))
    assert first is second


def test_two_projects_may_have_files_of_one_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        project = write_project(tmp_path / name, {"graph.py": f"NAME = {name!r}"})
        assert load_attribute(project, "./graph.py:NAME") == name


@pytest.mark.parametrize("module", ["a_module_of_both", "json"])
def test_a_module_that_is_already_loaded_from_elsewhere_is_refused(
    tmp_path: Path, module: str
) -> None:
    for name in ("one", "two"):
        write_project(tmp_path / name, {f"{module}.py": f"loads = {name!r}"})
    one, two = (write_project(tmp_path / name, {}) for name in ("one", "two"))
    if module != "json":
        assert load_attribute(one, f"{module}:loads") == "one"
    with pytest.raises(InvalidInput, match=f"'{module}:loads' does not load: ImportError"):
        load_attribute(two, f"{module}:loads")


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    project = write_project(
        tmp_path / "project",
        {
            "main.py": "from a_neighbour import NAME\nfrom an_inner_neighbour import INNER",
            "a_neighbour.py": "NAME = 'next door'",
            "src/an_inner_neighbour.py": "INNER = 'inside'",
        },
        dependencies=[".", "./src"],
    )
    assert load_attribute(project, "./main.py:NAME") == "next door"
    assert load_attribute(project, "main:INNER") == "inside"


def test_a_reference_out_of_the_project_is_not_even_imported(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", {})
    (tmp_path / "outside.py").write_text("raise AssertionError('imported')\nx = 1")
    with pytest.raises(InvalidInput, match="names nothing"):
        load_attribute(project, "../outside.py:x")


@pytest.mark.parametrize("name", ["say", "runnable", "builder", "compiled"])
def test_a_node_is_a_callable_or_a_runnable(project: Project, name: str) -> None:
    assert load_node(project, f"./graph.py:{name}") is load_attribute(project, f"graph.py:{name}")


def test_what_is_no_node_is_named(project: Project) -> None:
    with pytest.raises(InvalidInput, match=r"implementation: '.*:number' is a int, not a node"):
        load_node(project, "./graph.py:number")
