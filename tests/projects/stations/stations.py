"""Four nodes in a row that stop where a test wants them to."""

import asyncio
import operator
from pathlib import Path
from typing import Annotated, Any, Protocol

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict

NAMES = ("a", "b", "c", "d")


class State(TypedDict, total=False):
    """The nodes passed, and what each node is to do: `{"b": "hold"}`, `{"c": "write ask"}`."""

    seen: Annotated[list[str], operator.add]
    note: str
    tasks: dict[str, str]
    folder: str


Graph = StateGraph[State, None, State, State]


class Node(Protocol):
    """A node that is told its config."""

    async def __call__(self, state: State, config: RunnableConfig) -> dict[str, Any]:
        """What it adds to the state."""


def build() -> Graph:
    """The graph, not yet compiled."""
    graph = Graph(State)
    for name in NAMES:
        graph.add_node(name, station(name))
    for source, target in zip((START, *NAMES), NAMES, strict=False):
        graph.add_edge(source, target)
    return graph


def station(name: str) -> Node:
    """A node that writes down that it was visited and with which key."""

    async def visit(state: State, config: RunnableConfig) -> dict[str, Any]:
        folder = Path(state["folder"])
        key = config["configurable"].get("wtb_idempotency_key")
        await asyncio.to_thread(_note, folder / "visits", f"{name} {key}\n")
        task = state.get("tasks", {}).get(name, "")
        found = ""
        if task.startswith("write"):
            workspace = Path(config["configurable"]["wtb_workspace"])
            found = await asyncio.to_thread(_write, workspace, name)
            task = task.removeprefix("write").strip()
        answer = await _do(task, name, folder)
        return {"seen": [answer + found]}

    return visit


async def loud(state: State) -> dict[str, Any]:
    """A variant of `c`."""
    return {"seen": ["C!"]}


async def soft(state: State) -> dict[str, Any]:
    """Another variant of `c`."""
    return {"seen": ["c?"]}


def _note(file: Path, line: str) -> None:
    with file.open("a") as notes:
        notes.write(line)


def _write(workspace: Path, name: str) -> str:
    """Write a file and a line in another one; answers what was there before."""
    found = sorted(file.name for file in workspace.iterdir())
    (workspace / f"{name}.txt").write_text(name)
    _note(workspace / "log", f"{name}\n")
    return f" found {' '.join(found)}".rstrip()


async def _do(task: str, name: str, folder: Path) -> str:
    match task:
        case "hold":
            await _until_exists(folder / f"release {name}")
        case "cling":
            await _cling()
            await asyncio.to_thread((folder / f"let go {name}").touch)
        case "ask":
            return f"{name}:{interrupt(f'what at {name}?')}"
        case "ask number":
            return f"{name}:{interrupt('a number?', response_schema={'type': 'integer'})}"
        case "ask twice":
            return f"{name}:{interrupt('first?')}:{interrupt('second?')}"
        case "fail" if not await asyncio.to_thread((folder / "mended").exists):
            raise ValueError("not mended")
    return name


async def _until_exists(file: Path) -> None:
    while not await asyncio.to_thread(file.exists):  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.005)


async def _cling() -> None:
    """Take no notice of being cancelled."""
    for _ in range(20):
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue
