"""The event bridge: what each stream mode shows, and that looking changes nothing."""

import math
from typing import Annotated, Any

import pytest
from factories import unhurried
from hypothesis import given
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.errors import GraphDrained
from langgraph.graph import START, StateGraph
from langgraph.runtime import RunControl
from langgraph.types import Command
from pydantic import BaseModel
from random_graphs import compile_plan, plans
from savers import on
from streaming import RecordingSink, Shown, State, compile_talkative
from typing_extensions import TypedDict

from wtb_async.application.ports import LiveSink
from wtb_async.domain.stream_mode import StreamMode
from wtb_async.infrastructure.langgraph.event_bridge import invoke
from wtb_async.infrastructure.langgraph.node_replacement import Compiled


async def talk(**given_: str) -> RecordingSink:
    sink = RecordingSink()
    await invoke(compile_talkative(), {"log": [], **given_}, on("t"), live=sink, durability="sync")
    return sink


async def outcomes(graph: Compiled, thread: str, live: LiveSink | None) -> list[tuple[Any, Any]]:
    """Values and questions of every run until the graph has all its answers."""
    seen: list[tuple[Any, Any]] = []
    given_: Any = {"log": [], "changes": []}
    while True:
        result = await invoke(graph, given_, on(thread), live=live, durability="sync")
        seen.append((result.value, sorted(item.value for item in result.interrupts)))
        if not result.interrupts:
            return seen
        given_ = Command(resume={item.id: f"re {item.value}" for item in result.interrupts})


@unhurried
@given(plans)
async def test_a_watched_run_has_the_outcome_of_an_unwatched_one(plan: list[str]) -> None:
    graph = compile_plan(plan, InMemorySaver())
    alone = await outcomes(graph, "alone", None)
    assert await outcomes(graph, "watched", RecordingSink()) == alone
    assert await outcomes(graph, "barely", RecordingSink((StreamMode.CUSTOM,))) == alone


async def test_values_are_the_state_after_each_step() -> None:
    [*_, last] = [data for data in (await talk()).of(StreamMode.VALUES) if not data["ns"]]
    assert last["values"]["log"] == ["item 0", "item 1", "done"]
    assert last["values"]["messages"][0]["content"] == "hello there"
    assert last["interrupts"] == []


async def test_updates_are_what_each_node_returned_with_its_place() -> None:
    updates = (await talk()).of(StreamMode.UPDATES)
    assert [list(data["updates"]) for data in updates] == [
        ["speak"],
        ["work"],
        ["work"],
        ["inner"],
        ["finish"],
    ]
    assert updates[-1] == {"ns": [], "updates": {"finish": {"log": ["done"]}}, "interrupts": []}
    assert [data["ns"][0].partition(":")[0] for data in updates[1:3]] == ["inner", "inner"]


async def test_messages_come_word_by_word_with_the_node_that_says_them() -> None:
    messages = (await talk()).of(StreamMode.MESSAGES)
    assert [data["message"]["content"] for data in messages] == ["hello", " ", "there"]
    assert {data["metadata"]["langgraph_node"] for data in messages} == {"speak"}


async def test_custom_events_are_what_a_node_wrote() -> None:
    custom = (await talk()).of(StreamMode.CUSTOM)
    assert sorted(data["value"]["progress"] for data in custom) == [0, 1]
    assert all(data["ns"][0].startswith("inner:") for data in custom)


async def test_tasks_begin_with_an_input_and_end_with_a_result() -> None:
    tasks = [data for data in (await talk()).of(StreamMode.TASKS) if data["node"] == "finish"]
    begun, ended = tasks
    assert begun["input"]["log"] == ["item 0", "item 1"]
    assert (ended["task_id"], ended["result"]) == (begun["task_id"], {"log": ["done"]})
    assert (ended["error"], ended["interrupts"]) == (None, [])


async def test_checkpoints_are_points_of_the_timeline_with_their_values() -> None:
    sink = await talk()
    root = [data for data in sink.of(StreamMode.CHECKPOINTS) if not data["ns"]]
    assert [data["step"] for data in root] == [-1, 0, 1, 2, 3]
    assert [data["next_nodes"] for data in root[1:]] == [["speak"], ["inner"], ["finish"], []]
    ids = [data["checkpoint_id"] for data in root]
    assert [data["parent_checkpoint_id"] for data in root] == [None, *ids[:-1]]
    assert root[-1]["values"]["log"] == ["item 0", "item 1", "done"]


async def test_a_question_is_shown_with_its_id() -> None:
    sink = RecordingSink()
    graph = compile_plan(["ask"], InMemorySaver())
    result = await invoke(graph, {"log": []}, on("t"), live=sink, durability="sync")
    question = {"id": result.interrupts[0].id, "value": "ask0"}
    assert sink.of(StreamMode.VALUES)[-1]["interrupts"] == [question]
    assert sink.of(StreamMode.UPDATES)[-1] == {"ns": [], "updates": {}, "interrupts": [question]}
    assert sink.of(StreamMode.TASKS)[-1]["interrupts"] == [question]


async def test_only_the_modes_that_were_asked_for_are_shown() -> None:
    sink = RecordingSink((StreamMode.CUSTOM,))
    await invoke(compile_talkative(), {"log": []}, on("t"), live=sink, durability="sync")
    assert {event_type for event_type, _ in sink.shown} == {"CustomStreamed"}


async def test_a_failure_passes_through_after_what_came_before_it() -> None:
    sink = RecordingSink()
    with pytest.raises(ValueError, match="told to fail"):
        await invoke(compile_talkative(), {"do": "fail"}, on("t"), live=sink, durability="sync")
    assert sink.of(StreamMode.UPDATES)[-1]["updates"].keys() == {"inner"}
    failed = sink.of(StreamMode.TASKS)[-1]
    assert (failed["node"], failed["error"]) == (
        "finish",
        {"type": "ValueError", "message": "told to fail"},
    )


async def test_a_drain_passes_through() -> None:
    control = RunControl()

    class Stopping(RecordingSink):
        def put(self, event_type: str, data: bytes) -> None:
            super().put(event_type, data)
            control.request_drain("enough")

    sink = Stopping((StreamMode.UPDATES,))
    with pytest.raises(GraphDrained, match="enough"):
        await invoke(
            compile_talkative(), {"log": []}, on("t"), live=sink, durability="sync", control=control
        )
    assert [list(data["updates"]) for data in sink.of(StreamMode.UPDATES)] == [["speak"]]


class Whole(BaseModel):
    question: str
    note: int | None = None


class Part(TypedDict, total=False):
    other: str


async def test_a_graph_of_models_keeps_its_class_beside_a_subgraph_of_other_keys() -> None:
    inner: StateGraph[Part, None, Part, Part] = StateGraph(Part)
    inner.add_node("deep", lambda _: {"other": "x"})
    inner.add_edge(START, "deep")
    compiled = inner.compile()

    async def outer(state: Whole) -> dict[str, Any]:
        del state
        return {"note": len(await compiled.ainvoke({}))}

    graph: StateGraph[Whole, None, Whole, Whole] = StateGraph(Whole)
    graph.add_node("outer", outer)
    graph.add_edge(START, "outer")
    graph_ = graph.compile(checkpointer=InMemorySaver())
    sink = RecordingSink()
    watched = await invoke(graph_, {"question": "?"}, on("a"), live=sink, durability="sync")
    alone = await invoke(graph_, {"question": "?"}, on("b"), live=None, durability="sync")
    assert watched.value == alone.value == Whole(question="?", note=1)
    assert sink.of(StreamMode.VALUES)[-1]["values"] == {"question": "?", "note": 1}


class Answer(TypedDict):
    log: Annotated[list[str], "appended"]


async def test_an_output_of_fewer_keys_hides_nothing_from_the_stream() -> None:
    graph: StateGraph[State, None, State, Answer] = StateGraph(State, output_schema=Answer)
    graph.add_node("only", lambda _: {"do": "more", "log": ["a"]})
    graph.add_edge(START, "only")
    sink = RecordingSink()
    compiled = graph.compile(checkpointer=InMemorySaver())
    watched = await invoke(compiled, {"do": "it"}, on("a"), live=sink, durability="sync")
    alone = await invoke(compiled, {"do": "it"}, on("b"), live=None, durability="sync")
    assert watched.value == alone.value == {"log": ["a"]}
    [update] = sink.of(StreamMode.UPDATES)
    assert update["updates"] == {"only": {"do": "more", "log": ["a"]}}


class Unreadable:
    def __repr__(self) -> str:
        raise RuntimeError("not for your eyes")


async def shown_of(value: object) -> list[Shown]:
    def write(state: State) -> dict[str, Any]:
        del state
        get_stream_writer()(value)
        return {}

    graph: StateGraph[State, None, State, State] = StateGraph(State)
    graph.add_node("write", write)
    graph.add_edge(START, "write")
    sink = RecordingSink((StreamMode.CUSTOM,))
    await invoke(graph.compile(), {"log": []}, {}, live=sink)
    return sink.shown


async def test_what_is_too_large_or_cannot_be_shown_becomes_a_note() -> None:
    large = {"truncated": True, "size": 1002}
    assert await shown_of("x" * 1000) == [("CustomStreamed", {"ns": [], "value": large})]
    for value, problem in (
        (math.nan, "nan is not a JSON number"),
        ("\x00", "NUL byte"),
        (Unreadable(), "not for your eyes"),
    ):
        [(_, data)] = await shown_of(value)
        assert problem in data["value"]["not_storable"]
