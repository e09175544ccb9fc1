"""A graph whose nodes change what belongs to their process; both wait for each other."""

import asyncio
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config, get_store, get_stream_writer
from langgraph.func import task
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime
from langgraph.types import Command, RetryPolicy, Send, interrupt
from typing_extensions import TypedDict

VARIABLE = "ROOMS_WHERE"
PATIENCE_SECONDS = 30.0


@dataclass
class Seen:
    """What a node found around it."""

    node: str
    folder: str
    variable: str | None
    pid: int


class State(TypedDict, total=False):
    """What the nodes shall do, a folder for what they leave, and what they saw."""

    do: str
    folder: str
    data: bytes
    seen: Annotated[list[Seen], operator.add]
    answers: Annotated[list[Any], operator.add]


class OutOfLuck(RuntimeError):
    """An error of the project's own, which wants two arguments."""

    def __init__(self, node: str, luck: int) -> None:
        super().__init__(f"{node} has {luck} luck")
        self.luck = luck


def look(node: str) -> dict[str, Any]:
    """What this node sees now."""
    return {"seen": [Seen(node, str(Path.cwd()), os.environ.get(VARIABLE), os.getpid())]}


def meet(state: State, node: str, other: str) -> dict[str, Any]:
    """Change folder and environment, wait until the other has done so too, and look."""
    folder = Path(state["folder"])
    before = look(node)
    (folder / node).mkdir(exist_ok=True)
    os.chdir(folder / node)
    os.environ[VARIABLE] = node
    (folder / f"{node}.there").touch()
    until = time.monotonic() + PATIENCE_SECONDS
    while not (folder / f"{other}.there").exists() and time.monotonic() < until:
        time.sleep(0.01)
    return {"seen": before["seen"] + look(node)["seen"]}


def note_pid(state: State, name: str, pid: int) -> None:
    """Leave a process id behind, in one step."""
    draft = Path(state["folder"], f"{name}.draft")
    draft.write_text(str(pid))
    draft.rename(Path(state["folder"], f"{name}.pid"))


def hang(state: State) -> None:
    """Start a process, and never come back."""
    sleeper = subprocess.Popen(["sleep", "600"])  # noqa: S607 - as any node would
    note_pid(state, "sleeper", sleeper.pid)
    note_pid(state, "node", os.getpid())
    time.sleep(600)


def ask(_: State) -> dict[str, Any]:
    """Two questions, one after the other."""
    return {"answers": [interrupt("first?"), interrupt({"second": True})]}


def tell(_: State) -> dict[str, Any]:
    """Say on the way what comes, and remember who listens."""
    write = get_stream_writer()
    for step in range(3):
        write({"step": step})
    info = get_runtime().execution_info
    assert info is not None
    return {"answers": [info.task_id, info.node_attempt]}


def fail_at_first(_: State) -> dict[str, Any]:
    """Fail as a flaky service does, until the third attempt."""
    info = get_runtime().execution_info
    assert info is not None
    if info.node_attempt < 3:
        raise ConnectionResetError(104, "not yet")
    return {"answers": [info.node_attempt]}


def out_of_luck(_: State) -> None:
    """Raise an error of our own."""
    raise OutOfLuck("left", 0)


def die(_: State) -> None:
    """Print something, and be killed."""
    print("the last words", file=sys.stderr)  # noqa: T201 - what is to be seen
    os.kill(os.getpid(), signal.SIGKILL)


def exit_at_once(_: State) -> None:
    """End without any cleaning up."""
    os._exit(7)


@task
def counted(items: list[int]) -> int:
    """A task of LangGraph's functional API."""
    return len(items)


Deed = Callable[[State], dict[str, Any] | Command[Any] | None]

DEEDS: dict[str, Deed] = {
    "hang": hang,
    "ask": ask,
    "tell": tell,
    "flaky": fail_at_first,
    "luck": out_of_luck,
    "die": die,
    "end": exit_at_once,
    "exit": lambda _: sys.exit(3),
    "store": lambda _: {"answers": [get_store().get(("a",), "b")]},
    "task": lambda _: {"answers": [counted([1, 2]).result()]},
    "send": lambda _: Command(update={"answers": ["sent"]}, goto=[Send("right", {"do": "send"})]),
    "large": lambda state: {"data": state["data"] * 2},
    "strange": lambda _: {"answers": [object()]},
    "keep": lambda _: get_config()["configurable"]["wtb_workspace"].keep(),
    "look": lambda _: look("left"),
    "leave": lambda state: meet(state, "left", "left"),
}


def left(state: State) -> dict[str, Any] | Command[Any] | None:
    """Do what the input asks for: a plain function."""
    if deed := DEEDS.get(state["do"]):
        return deed(state)
    return meet(state, "left", "right")


def loud(_: State) -> dict[str, Any]:
    """A variant of `left`."""
    return look("LEFT")


async def right(state: State, config: RunnableConfig) -> Command[Any]:
    """A coroutine, which answers with a command."""
    if state["do"] != "meet":
        return Command(update={"answers": [config["configurable"].get("wtb_idempotency_key")]})
    return Command(update=await asyncio.to_thread(meet, state, "right", "left"))


def build() -> StateGraph[State, None, State, State]:
    """Both nodes in one superstep."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    patiently = RetryPolicy(initial_interval=0.001, jitter=False, retry_on=ConnectionError)
    graph.add_node("left", left, retry_policy=patiently)
    graph.add_node("right", right)
    graph.add_edge(START, "left")
    graph.add_edge(START, "right")
    graph.add_edge("left", END)
    graph.add_edge("right", END)
    return graph
