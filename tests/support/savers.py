"""Savers for tests, and a graph that writes every kind of row."""

import operator
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.checkpoints.group_writer import WriterOptions
from wtb_async.infrastructure.checkpoints.open_saver import open_saver
from wtb_async.infrastructure.langgraph.node_replacement import Compiled


class State(TypedDict, total=False):
    """Inline values and blobs."""

    question: str
    number: int
    found: Annotated[list[str], operator.add]
    answer: str


async def search(state: State) -> dict[str, Any]:
    return {"found": [f"left of {state['question']}"], "number": 1}


async def look_up(state: State) -> dict[str, Any]:
    if state["question"] == "fail":
        raise ValueError("told to fail")
    return {"found": [f"right of {state['question']}"]}


async def answer(state: State) -> dict[str, Any]:
    if state["question"] == "ask":
        return {"answer": interrupt("which?")}
    return {"answer": " and ".join(state["found"])}


def compile_fan_out(saver: BaseCheckpointSaver[str]) -> Compiled:
    """Two nodes side by side, joined by a third."""
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("search", search)
    graph.add_node("look_up", look_up)
    graph.add_node("answer", answer)
    graph.add_edge(START, "search")
    graph.add_edge(START, "look_up")
    graph.add_edge(["search", "look_up"], "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=saver)


def on(thread_id: str) -> RunnableConfig:
    """The configuration of one thread."""
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}


async def ask(saver: BaseCheckpointSaver[str], thread_id: str, what: State | Command[Any]) -> Any:  # noqa: ANN401
    """Run the graph on a thread, as the engine does."""
    return await compile_fan_out(saver).ainvoke(what, on(thread_id), durability="sync")


async def put(saver: BaseCheckpointSaver[str], thread: str, **values: object) -> str:
    """Save a checkpoint of these values; answers its id."""
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = dict(values)
    versions: ChannelVersions = dict.fromkeys(values, "1.0")
    checkpoint["channel_versions"] = versions
    await saver.aput(on(thread), checkpoint, {"source": "input", "step": -1}, versions)
    return checkpoint["id"]


@asynccontextmanager
async def group_commit_saver(
    database_url: str,
    **options: Any,  # noqa: ANN401 - of the writer
) -> AsyncIterator[GroupCommitSaver]:
    """Our saver on pools of its own."""
    named = {"application_name": "writer"}
    async with open_saver(database_url, WriterOptions(**options), server_settings=named) as saver:
        yield saver


@asynccontextmanager
async def stock_saver(database_url: str) -> AsyncIterator[AsyncPostgresSaver]:
    """LangGraph's own saver on the same tables."""
    async with AsyncPostgresSaver.from_conn_string(database_url) as saver:
        yield saver
