"""Commands on executions that cannot be understood: the field is named, and nothing changes."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from api_fixtures import ServedApi
from arranging import change, register, select
from served_api import Caller, fields_of, problem_of
from standing import asking, everything, standing
from stock_runs import run

from wtb_async.application.ids import new_id
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

NOBODY = str(new_id())
CLOSED = "0" * 32


@pytest.fixture
async def stations_project(served: Database) -> Workflow:
    """A workflow whose nodes ask questions with schemas."""
    return await register(
        served.unit_of_work, f"stations {secrets.token_hex(4)}", project="stations"
    )


@pytest.mark.parametrize(
    ("status", "command", "body", "fields"),
    [
        ("running", "pause", {"at": "second"}, ["at"]),
        ("running", "pause", {"at_node": "third"}, ["at_node"]),
        ("running", "pause", {"at_node": 7}, ["at_node"]),
        ("running", "pause", {"reason": ["x"]}, ["reason"]),
        ("running", "pause", {"reason": "a\x00b"}, ["reason"]),
        ("running", "stop", {"why": "x"}, ["why"]),
        ("paused", "resume", {"answer": 1}, ["answer"]),
        ("paused", "resume", {"answers": 1}, ["answers"]),
        ("paused", "resume", {"state": [1]}, ["state"]),
        ("paused", "resume", {"state": {"number": 1, "do": ""}}, ["state.number"]),
        ("paused", "resume", {"as_node": "first"}, ["as_node"]),
        ("paused", "resume", {"state": {"do": ""}, "as_node": "third"}, ["as_node"]),
        ("failed", "resume", {"state": {"number": 1}}, ["state.number"]),
        ("paused", "rollback", {}, ["checkpoint_id"]),
        ("paused", "rollback", {"before_node": "first", "after_node": "first"}, ["checkpoint_id"]),
        ("paused", "rollback", {"checkpoint_id": NOBODY}, ["checkpoint_id"]),
        ("paused", "rollback", {"checkpoint_id": "newest"}, ["checkpoint_id"]),
        ("paused", "rollback", {"before_node": "third"}, ["before_node"]),
        ("paused", "rollback", {"after_node": "third"}, ["after_node"]),
        ("paused", "rollback", {"to": "first"}, ["to"]),
        ("completed", "branch", {}, ["checkpoint_id"]),
        ("completed", "branch", {"checkpoint_id": NOBODY}, ["checkpoint_id"]),
        ("completed", "branch", {"variants": {"third": "loud"}}, ["variants.third"]),
        ("completed", "branch", {"variants": {"second": "quiet"}}, ["variants.second"]),
        ("completed", "branch", {"state": {"number": 1}}, ["state.number"]),
        ("completed", "branch", {"start": "perhaps"}, ["start"]),
        ("completed", "branch", {"begin": True}, ["begin"]),
        ("paused", "state", {}, ["state"]),
        ("paused", "state", {"state": None}, ["state"]),
        (
            "paused",
            "state",
            {"state": {"number": 1, "letter": ""}},
            ["state.number", "state.letter"],
        ),
        ("paused", "state", {"state": {"do": ""}, "as_node": "third"}, ["as_node"]),
        ("paused", "state", {"values": {"do": ""}}, ["state", "values"]),
    ],
)
async def test_a_command_that_cannot_be_carried_out_names_its_field_and_changes_nothing(
    caller: Caller,
    api: ServedApi,
    served: Database,
    letters: Workflow,
    status: str,
    command: str,
    body: dict[str, Any],
    fields: list[str],
) -> None:
    path = await run(api, caller, letters, do="")
    row = await standing(served, path, status)
    if command == "branch" and body:
        body = {"checkpoint_id": row["checkpoint_id"], **body}
    before = await everything(served, path)
    send = caller.patch if command == "state" else caller.post
    assert fields_of(await send(f"{path}/{command}", **body)) == fields
    assert await everything(served, path) == before


@pytest.mark.parametrize("command", ["rollback", "branch"])
async def test_a_checkpoint_of_a_subgraph_is_no_place_to_go_back_to(
    caller: Caller, api: ServedApi, served: Database, command: str
) -> None:
    visits = await register(served.unit_of_work, f"visits {NOBODY} {command}", project="visits")
    graph = "./visits.py:nested"
    await change(
        served, "UPDATE wtb_workflows SET graph = :graph WHERE id = :id", graph=graph, id=visits.id
    )
    visits.graph = graph
    path = await run(api, caller, visits, do="")
    row = await standing(served, path, "completed")
    inner = await select(
        served,
        "SELECT checkpoint_id FROM checkpoints"
        " WHERE thread_id = :thread AND checkpoint_ns <> '' ORDER BY 1",
        thread=str(row["thread_id"]),
    )
    before = await everything(served, path)
    for inside in inner:
        answer = await caller.post(f"{path}/{command}", **inside)
        assert fields_of(answer) == ["checkpoint_id"]
    assert len(inner) >= 3
    assert await everything(served, path) == before


async def test_a_checkpoint_of_another_execution_is_no_place_to_go_back_to(
    caller: Caller, api: ServedApi, served: Database, letters: Workflow
) -> None:
    path, other = [await run(api, caller, letters, do="") for _ in range(2)]
    await standing(served, path, "completed")
    strange = (await standing(served, other, "completed"))["checkpoint_id"]
    for command in ("rollback", "branch"):
        answer = await caller.post(f"{path}/{command}", checkpoint_id=strange)
        assert fields_of(answer) == ["checkpoint_id"]


async def test_an_execution_without_a_checkpoint_has_no_state_to_edit(
    caller: Caller, served: Database, letters: Workflow
) -> None:
    path = f"/executions/{(await caller.execute(letters.name))['id']}"
    await standing(served, path, "paused")
    problem_of(await caller.patch(f"{path}/state", state={"do": ""}), 409, "invalid_transition")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["answers"]),
        ({"answers": None}, ["answers"]),
        ({"answers": "many"}, ["answers.QUESTION"]),
        ({"answers": {"QUESTION": "many"}}, ["answers.QUESTION"]),
        ({"answers": {"QUESTION": 1.5}}, ["answers.QUESTION"]),
        ({"answers": 3, "as_node": "b"}, ["as_node"]),
        ({"answers": 3, "state": {"number": 3}}, ["state.number"]),
    ],
)
async def test_an_answer_that_does_not_fit_its_question_is_refused_and_changes_nothing(
    caller: Caller,
    api: ServedApi,
    served: Database,
    stations_project: Workflow,
    tmp_path: Path,
    body: JsonObject,
    fields: list[str],
) -> None:
    given = {"tasks": {"b": "ask number"}, "folder": str(tmp_path)}
    path, asked = await asking(api, caller, served, stations_project, **given)
    before = await everything(served, path)
    body, fields = json.loads(json.dumps([body, fields]).replace("QUESTION", asked["id"]))
    assert fields_of(await caller.post(f"{path}/resume", **body)) == fields
    assert await everything(served, path) == before
    accepted = await caller.post(f"{path}/resume", answers={asked["id"]: 3})
    assert accepted.status_code == 202, accepted.text
    assert accepted.json()["interrupts"] == []


async def test_a_question_that_is_not_open_takes_no_answer(
    caller: Caller, api: ServedApi, served: Database, letters: Workflow
) -> None:
    path, asked = await asking(api, caller, served, letters, do="ask")
    before = await everything(served, path)
    answer = await caller.post(f"{path}/resume", answers={asked["id"]: "x", CLOSED: "y"})
    problem_of(answer, 409, "invalid_transition")
    assert await everything(served, path) == before
    assert (await caller.post(f"{path}/resume", answers={asked["id"]: "x"})).status_code == 202
    again = await caller.post(f"{path}/resume", answers={asked["id"]: "y"})
    problem_of(again, 409, "invalid_transition")


async def test_a_bare_answer_is_refused_while_two_questions_are_open(
    caller: Caller, api: ServedApi, served: Database, letters: Workflow
) -> None:
    path, asked = await asking(api, caller, served, letters, do="ask")
    await standing(served, path, "paused", interrupts=[asked, {**asked, "id": CLOSED}])
    answer = await caller.post(f"{path}/resume", answers="x")
    assert fields_of(answer) == ["answers"]
    assert "2 open" in answer.json()["detail"]
