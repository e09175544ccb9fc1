"""The graph of the project `rooms`, with its nodes in processes of their own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from arranging import PROJECTS, eventually, new_workflow
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore
from passages import claimed_run

from wtb_async.application.ids import new_id
from wtb_async.domain.execution import Limits
from wtb_async.infrastructure.langgraph.graph_loader import load_graph, load_node
from wtb_async.infrastructure.langgraph.node_replacement import (
    Compiled,
    Replacement,
    compile_like,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.projects import read_project
from wtb_async.infrastructure.node_process.moving import NodeMover
from wtb_async.infrastructure.node_process.pool import NodeProcesses

PROJECT = PROJECTS / "rooms" / "langgraph.json"
LIMIT_BYTES = 64 << 20


@dataclass
class Rooms:
    """A graph, and a folder for what its nodes leave."""

    graph: Compiled
    folder: Path
    processes: NodeProcesses

    async def do(self, deed: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - keys of the state
        """Run a new thread to its end."""
        return await self.go({"do": deed, "folder": str(self.folder), **more}, new_thread())

    async def go(self, given: Any, config: RunnableConfig) -> dict[str, Any]:  # noqa: ANN401
        """Run a thread from an input, or on from where it is."""
        result: dict[str, Any] = await self.graph.ainvoke(given, config, durability="sync")
        return result


async def pid_left(folder: Path, name: str) -> int:
    """The process id that a node leaves under this name."""
    file = folder / f"{name}.pid"

    async def left() -> bool:
        return file.exists()

    await eventually(left)
    return int(file.read_text())


async def gone(pid: int) -> None:
    """Return once no such process runs; one that nobody has reaped yet does not run."""

    async def ended() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await eventually(ended)


def new_thread(**configurable: Any) -> RunnableConfig:  # noqa: ANN401 - of any key
    """The config of a thread that nobody has run yet."""
    return {"configurable": {"thread_id": new_id().hex, **configurable}}


@asynccontextmanager
async def rooms(
    folder: Path,
    *,
    variants: Mapping[str, str] | None = None,
    most: int = 2,
    idle_seconds: float = 60.0,
    limit_bytes: int = LIMIT_BYTES,
) -> AsyncIterator[Rooms]:
    """The graph with these variants; all of its processes end with the block."""
    project, workflow = read_project(PROJECT), new_workflow("rooms")
    graph = await load_graph(project, workflow.graph)
    replacements = {
        node: Replacement(name, load_node(project, f"./rooms.py:{name}"))
        for node, name in (variants or {}).items()
    }
    compiled = compile_like(
        graph,
        replace_nodes(graph, replacements),
        checkpointer=InMemorySaver(),
        store=InMemoryStore(),
    )
    run = claimed_run(new_id(), limits=Limits(), variants=dict(variants or {}))
    async with NodeProcesses(most=most, idle_seconds=idle_seconds, start_seconds=60.0) as processes:
        mover = NodeMover(processes, limit_bytes=limit_bytes)
        yield Rooms(mover.move(compiled, run, workflow, project), folder, processes)
