"""What becomes of values of the state on their way through our saver and LangGraph's own."""

import operator
from collections.abc import AsyncIterator
from enum import IntEnum, StrEnum
from typing import Annotated, Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from savers import group_commit_saver, on, stock_saver
from typing_extensions import TypedDict

from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.plain_json import NotStorable
from wtb_async.infrastructure.langgraph.schema_types import trusted_types


class Mood(StrEnum):
    GOOD = "good"


class Level(IntEnum):
    HIGH = 3


class State(TypedDict, total=False):
    mood: Mood
    level: Level
    total: Annotated[float, operator.add]
    unknown: Any


def graph_of(saver: BaseCheckpointSaver[str], update: State) -> Compiled:
    graph: Any = StateGraph(State)
    graph.add_node("node", lambda _: update)
    graph.add_edge(START, "node")
    compiled: Compiled = graph.compile()
    compiled.checkpointer = saver.with_allowlist(trusted_types(compiled))
    return compiled


@pytest.fixture
async def saver(database_url: str) -> AsyncIterator[GroupCommitSaver]:
    async with group_commit_saver(database_url) as made:
        yield made


async def test_enums_keep_their_class_and_both_savers_read_them(
    saver: GroupCommitSaver, database_url: str
) -> None:
    state: State = {"mood": Mood.GOOD, "level": Level.HIGH}
    await graph_of(saver, state).ainvoke({}, on("thread"), durability="sync")
    async with stock_saver(database_url) as stock:
        for each in (saver, stock):
            values = (await graph_of(each, {}).aget_state(on("thread"))).values
            assert (type(values["mood"]), type(values["level"])) == (Mood, Level)
            assert (values["mood"], values["level"]) == (Mood.GOOD, Level.HIGH)


async def test_what_a_reducer_makes_unstorable_is_named_by_its_key(
    saver: GroupCommitSaver,
) -> None:
    with pytest.raises(NotStorable, match="total: inf is not a JSON number"):
        await graph_of(saver, {"total": 1e308}).ainvoke(
            {"total": 1e308}, on("thread"), durability="sync"
        )


async def test_a_value_that_no_serializer_takes_is_named_by_its_key(
    saver: GroupCommitSaver,
) -> None:
    with pytest.raises(NotStorable, match=r"unknown: .* object"):
        await graph_of(saver, {"unknown": [object()]}).ainvoke({}, on("thread"), durability="sync")
