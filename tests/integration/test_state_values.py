"""Values of every kind, and questions of every origin, as a reader of the state sees them."""

import dataclasses
import json
from operator import add
from typing import Annotated, Any

from arranging import change
from langchain_core.messages import HumanMessage
from langgraph.func import task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from reading_state import accepted, reader_of
from savers import on, stock_saver
from typing_extensions import TypedDict

from wtb_async.application.executions.views import StateView
from wtb_async.infrastructure.postgres.database import Database


@dataclasses.dataclass
class Hit:
    title: str


class Plan(BaseModel):
    steps: list[str]


class Everything(MessagesState, total=False):
    text: str
    flag: bool
    nothing: None
    hits: list[Hit]
    plan: Plan
    raw: bytes
    scores: list[float]


VALUES: dict[str, Any] = {
    "messages": [HumanMessage("why?", id="1")],
    "text": "naïve",
    "flag": True,
    "nothing": None,
    "hits": [Hit("a")],
    "plan": Plan(steps=["b"]),
    "raw": b"\x00",
    "scores": [0.5, float("nan")],
}


async def everything(state: Everything) -> dict[str, Any]:  # noqa: ARG001 - nodes take the state
    return VALUES


async def read_after(
    database: Database,
    url: str,
    graph: StateGraph[Any, None, Any, Any],
    given: dict[str, Any],
    *,
    broken: str = "SELECT",
) -> StateView:
    """The newest state after a graph got this input, and a statement changed what it wrote."""
    execution = await accepted(database)
    thread = on(str(execution.thread_id))
    async with stock_saver(url) as saver:
        compiled = graph.compile(checkpointer=saver)
        await compiled.ainvoke(given, thread, durability="sync")
    await change(database, broken)
    return await reader_of(database, url, graph).read(execution)


async def test_values_are_plain_json_and_what_has_no_such_form_says_why(
    database: Database, database_url: str
) -> None:
    graph: StateGraph[Any, None, Any, Any] = StateGraph(Everything)
    graph.add_node("everything", everything)
    graph.add_edge(START, "everything")
    view = await read_after(database, database_url, graph, {"text": ""})
    values: Any = json.loads(json.dumps(view.values))
    [message] = values.pop("messages")
    assert (message["type"], message["content"]) == ("human", "why?")
    assert values == {
        "text": "naïve",
        "flag": True,
        "nothing": None,
        "hits": [{"title": "a"}],
        "plan": {"steps": ["b"]},
        "raw": "AA==",
    }
    assert view.not_shown == {"scores": "NotStorable: scores[1]: nan is not a JSON number"}


async def test_a_row_that_does_not_load_hides_nothing_else(
    database: Database, database_url: str
) -> None:
    graph: StateGraph[Any, None, Any, Any] = StateGraph(Everything)
    graph.add_node("everything", everything)
    graph.add_edge(START, "everything")
    broken = "UPDATE checkpoint_blobs SET type = 'pickle' WHERE channel = 'hits'"
    view = await read_after(database, database_url, graph, {"text": ""}, broken=broken)
    assert set(view.not_shown) == {"hits", "scores"}
    assert (
        "UntrustedCheckpoint: a checkpoint holds a value of the kind 'pickle'"
        in view.not_shown["hits"]
    )
    assert isinstance(view.values, dict)
    assert view.values["plan"] == {"steps": ["b"]}


async def test_a_state_without_keys_is_its_one_value(database: Database, database_url: str) -> None:
    graph: StateGraph[Any, None, Any, Any] = StateGraph(dict)
    graph.add_node("count", lambda state: {"count": state["count"] + 1})
    graph.add_edge(START, "count")
    view = await read_after(database, database_url, graph, {"count": 1})
    assert view.values == {"count": 2}


class Asking(TypedDict, total=False):
    answers: Annotated[list[Any], add]


@task
async def ask_within() -> Any:  # noqa: ANN401
    return interrupt("called")


async def calls(state: Asking) -> Asking:  # noqa: ARG001 - nodes take the state
    return {"answers": [await ask_within()]}


async def sent(state: Asking) -> Asking:  # noqa: ARG001 - nodes take the state
    return {"answers": [interrupt({"n": float("nan")})]}


async def fails(state: Asking) -> Asking:  # noqa: ARG001 - nodes take the state
    raise ValueError("told to fail")


async def typed(state: Asking) -> Asking:  # noqa: ARG001 - nodes take the state
    return {"answers": [interrupt("typed", response_schema={"type": "integer"})]}


def asking() -> StateGraph[Asking, None, Asking, Asking]:
    """Three questions in one superstep, each from another kind of task."""
    graph: StateGraph[Asking, None, Asking, Asking] = StateGraph(Asking)
    graph.add_node("calls, twice", calls)
    graph.add_node("sent", sent)
    graph.add_node("fails", fails, error_handler=typed)
    graph.add_edge(START, "calls, twice")
    graph.add_edge(START, "fails")
    graph.add_conditional_edges(START, lambda _: [Send("sent", {})], ["sent"])
    return graph


async def test_a_question_names_its_node_and_the_answer_that_it_takes(
    database: Database, database_url: str
) -> None:
    view = await read_after(database, database_url, asking(), {"answers": []})
    asked = {question["node"]: question for question in view.interrupts}
    assert len(asked) == len(view.interrupts) == 3
    assert asked["calls, twice"]["value"] == "called"
    assert asked["fails"]["response_schema"] == {"type": "integer"}
    assert asked["sent"]["value"] == {"not_shown": "NotStorable: n: nan is not a JSON number"}


async def test_an_answered_question_is_not_open_while_its_neighbour_waits(
    database: Database, database_url: str
) -> None:
    execution, graph = await accepted(database), asking()
    reader = reader_of(database, database_url, graph)
    thread = on(str(execution.thread_id))
    async with stock_saver(database_url) as saver:
        compiled = graph.compile(checkpointer=saver)
        await compiled.ainvoke({"answers": []}, thread, durability="sync")
        asked = {each["node"]: each["id"] for each in (await reader.read(execution)).interrupts}
        answer: Command[Any] = Command(resume={asked["calls, twice"]: "yes"})
        await compiled.ainvoke(answer, thread, durability="sync")
    after = await reader.read(execution)
    assert {each["node"] for each in after.interrupts} == {"sent", "fails"}
    assert after.values == {"answers": []}


async def test_a_question_that_does_not_come_back_as_one_is_shown_as_what_it_is(
    database: Database, database_url: str
) -> None:
    broken = "UPDATE checkpoint_writes SET type = 'bytes' WHERE channel = '__interrupt__'"
    view = await read_after(database, database_url, asking(), {"answers": []}, broken=broken)
    assert [each["id"] for each in view.interrupts] == [None] * 3
    assert {each["node"] for each in view.interrupts} == {"calls, twice", "sent", "fails"}
