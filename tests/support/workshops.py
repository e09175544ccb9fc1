"""A workflow whose nodes work on files, with a local bench that runs it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from factories import write_project
from files_of_threads import files_of
from local_benches import local_bench

from wtb_async.domain.file_commit import Manifest
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.sdk.bench import WTBTestBench
from wtb_async.sdk.models import Execution

GRAPH = '''
import asyncio
import operator
from pathlib import Path
from typing import Annotated
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    script: dict[str, str]
    said: Annotated[list[str], operator.add]


def perform(name: str, state: State, config: RunnableConfig) -> State:
    """Do what the script says: Python with the workspace at hand."""
    workspace = config["configurable"]["wtb_workspace"]
    said: list[str] = []
    code = compile(state["script"].get(name, ""), name, "exec")
    exec(code, {"workspace": workspace, "Path": Path, "said": said})
    return {"said": said}


def first(state: State, config: RunnableConfig) -> State:
    """Plain: it runs in a thread."""
    return perform("first", state, config)


async def second(state: State, config: RunnableConfig) -> State:
    """On the event loop."""
    return perform("second", state, config)


async def third(state: State, config: RunnableConfig) -> State:
    """It may take its time."""
    if "hang" in state["script"]:
        Path(config["configurable"]["wtb_workspace"])
        await asyncio.sleep(60)
    return perform("third", state, config)


def left(state: State, config: RunnableConfig) -> State:
    """Beside another one."""
    return perform("left", state, config)


def right(state: State, config: RunnableConfig) -> State:
    """Beside another one."""
    return perform("right", state, config)


def inner_first(state: State, config: RunnableConfig) -> State:
    """In a subgraph."""
    return perform("inner_first", state, config)


async def inner_second(state: State, config: RunnableConfig) -> Command:
    """Its answer is for the graph above."""
    found = perform("inner_second", state, config)
    return Command(graph=Command.PARENT, update=found, goto=["left", "right"])


def build_inner():
    graph = StateGraph(State)
    graph.add_node(inner_first)
    graph.add_node(inner_second)
    graph.add_edge(START, "inner_first")
    graph.add_edge("inner_first", "inner_second")
    return graph.compile()


def build():
    graph = StateGraph(State)
    again = RetryPolicy(initial_interval=0.01, max_attempts=2, retry_on=ZeroDivisionError)
    graph.add_node(first, retry_policy=again)
    for node in (second, third, left, right):
        graph.add_node(node)
    graph.add_node("inner", build_inner(), destinations=("left", "right"))
    for source, target in (
        (START, "first"), ("first", "second"), ("second", "third"), ("third", "inner"),
    ):
        graph.add_edge(source, target)
    return graph
'''


@dataclass(frozen=True)
class Workshop:
    """The bench, and where its files are."""

    bench: WTBTestBench
    database: Database
    folder: Path
    """Of all files of the machine."""
    source: Path
    """A folder in the project."""

    async def run(self, limits: JsonObject | None = None, **script: str) -> Execution:
        """Run nodes with this Python code to their end."""
        return await self.bench.run("workshop", {"script": {**script}, "said": []}, limits=limits)

    async def manifest(self, execution: Execution) -> Manifest:
        """The newest files of an execution."""
        assert execution.thread_id is not None
        return await files_of(self.database, execution.thread_id) or {}


def output_of(execution: Execution) -> JsonObject:
    """The final state."""
    assert isinstance(execution.output, dict)
    return execution.output


@asynccontextmanager
async def workshop(
    database: Database,
    database_url: str,
    folder: Path,
    *,
    source: Mapping[str, str] | None = None,
    **settings: JsonValue,
) -> AsyncIterator[Workshop]:
    """A project whose workflow has these settings of its workspaces."""
    files = {f"data/{name}": text for name, text in (source or {}).items()}
    entry = settings | ({"source": "./data"} if source else {})
    project = write_project(
        folder / "project",
        {"graph.py": GRAPH, **files},
        graphs={"workshop": "./graph.py:build"},
        wtb={"workspaces": {"workshop": entry}},
    )
    files_folder = folder / "files"
    async with local_bench(database_url, files=files_folder, project=project.file) as bench:
        yield Workshop(bench, database, files_folder, project.folder / "data")
