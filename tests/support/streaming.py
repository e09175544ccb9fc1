"""A graph that gives every stream mode something to show, and what drives it like a runner."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import orjson
from arranging import claim, register_runner, settle
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from redis.asyncio import Redis
from savers import on
from typing_extensions import TypedDict

from wtb_async.application.ports import LiveEvents
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.domain.run import RunStatus
from wtb_async.domain.stream_mode import StreamMode
from wtb_async.infrastructure.langgraph.event_bridge import invoke
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.plain_json import plain_json
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.nudges import RelaySignals

Shown = tuple[str, dict[str, Any]]


@dataclass
class RecordingSink:
    """Keeps what it is shown."""

    modes: tuple[StreamMode, ...] = tuple(StreamMode)
    max_value_bytes: int = 1000
    shown: list[Shown] = field(default_factory=list)

    def put(self, event_type: str, data: bytes) -> None:
        self.shown.append((event_type, orjson.loads(data)))

    def of(self, mode: StreamMode) -> list[dict[str, Any]]:
        return [data for event_type, data in self.shown if event_type == mode.event_type]


class State(TypedDict, total=False):
    do: str
    log: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], operator.add]


class Item(TypedDict):
    item: int


async def speak(state: State) -> dict[str, Any]:
    """A chat model that says its text word by word."""
    model = GenericFakeChatModel(messages=iter([AIMessage("hello there", id="greeting")]))
    return {"messages": [await model.ainvoke(state.get("do", ""))]}


async def work(state: Item) -> dict[str, Any]:
    get_stream_writer()({"progress": state["item"]})
    return {"log": [f"item {state['item']}"]}


async def finish(state: State) -> dict[str, Any]:
    if state.get("do") == "fail":
        raise ValueError("told to fail")
    return {"log": ["done"]}


def scatter(_: State) -> list[Send]:
    return [Send("work", {"item": number}) for number in range(2)]


def compile_talkative() -> Compiled:
    """A chat model, a subgraph that fans out with `Send` and writes, a last node."""
    inner: StateGraph[State, None, State, State] = StateGraph(State)
    inner.add_node("work", work)
    inner.add_conditional_edges(START, scatter, ["work"])
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("speak", speak)
    graph.add_node("inner", inner.compile())
    graph.add_node("finish", finish)
    graph.add_edge(START, "speak")
    graph.add_edge("speak", "inner")
    graph.add_edge("inner", "finish")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=InMemorySaver())


async def drive(run: ClaimedRun, live: LiveEvents) -> RunOutcome:
    """Execute a run of the talkative graph as the engine would."""
    async with live.of_run(run) as sink:
        result = await invoke(
            compile_talkative(), run.input, on(str(run.thread_id)), live=sink, durability="sync"
        )
    return RunOutcome(
        run_id=run.id,
        status=RunStatus.COMPLETED,
        duration_ms=1.0,
        output=plain_json(result.value),
    )


async def claim_run(database: Database, execution_id: UUID) -> tuple[UUID, ClaimedRun]:
    """A new runner's id, and the execution's run that it claimed."""
    runner = await register_runner(database.unit_of_work)
    [run] = [
        run
        for run in await claim(database.unit_of_work, runner)
        if run.execution_id == execution_id
    ]
    return runner, run


async def run_to_the_end(
    database: Database, redis: Redis, live: LiveEvents, execution_id: UUID
) -> None:
    """What a runner and a relay would do."""
    runner, run = await claim_run(database, execution_id)
    await RelaySignals(redis).announce([execution_id])
    await settle(database.unit_of_work, runner, await drive(run, live))
    await RelaySignals(redis).announce([execution_id])
