"""A runner keeps its nodes from moving each other."""

import subprocess
import sys

import pytest

GRAPH = """
import asyncio, os
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict
from wtb_async.infrastructure.node_process.neighbours import protect_neighbours

class State(TypedDict, total=False):
    folder: str

def sync_node(state):
    os.environ["A"] = "1"
    os.environ["B"] = "2"
    os.chdir(state["folder"])

async def async_node(state):
    folder = os.open(state["folder"], os.O_RDONLY)
    os.fchdir(folder)

async def run(node):
    graph = StateGraph(State).add_node("mover", node).add_edge(START, "mover").compile()
    try:
        await graph.ainvoke({"folder": "/"})
    except Exception as error:
        print(type(error).__name__, "share" in str(error), '"processes": ["mover"]' in str(error))
    print(os.getcwd())
"""
PROTECTED = "\nos.chdir('/tmp'); protect_neighbours(); protect_neighbours()\n"
OPEN = "\nos.chdir('/tmp')\n"


def printed(*lines: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GRAPH + "".join(lines)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("node", ["sync_node", "async_node"])
def test_a_node_cannot_change_the_folder_of_its_neighbours(node: str) -> None:
    *_, error, folder = printed(PROTECTED, f"asyncio.run(run({node}))")
    assert (error, folder) == ("WorkingDirectoryIsShared True True", "/tmp")  # noqa: S108


def test_a_change_of_the_environment_is_told_once() -> None:
    lines = printed(PROTECTED, "for _ in range(2): asyncio.run(run(sync_node))")
    told = [line for line in lines if "node_changes_shared_environment" in line]
    assert len(told) == 1
    assert all(part in told[0] for part in ("node=mover", "variable=A", "processes"))


def test_the_runner_itself_may_move() -> None:
    assert printed(PROTECTED, "os.chdir('/'); print(os.getcwd())") == ["/"]


def test_who_runs_graphs_himself_is_not_protected() -> None:
    assert printed(OPEN, "asyncio.run(run(sync_node))") == ["/"]
