"""Timelines and states on a real API process, for executions whose graphs run in the test."""

import secrets

import pytest
from api_fixtures import ServedApi
from arranging import change, register
from served_api import Caller, fields_of, problem_of
from stock_runs import run

from wtb_async.application.ids import new_id
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database


@pytest.fixture
async def changes(served: Database) -> Workflow:
    """A workflow whose state only its own code can put together."""
    return await register(served.unit_of_work, f"changes {secrets.token_hex(4)}", project="changes")


async def test_a_state_can_be_read_at_every_checkpoint_of_the_timeline(
    caller: Caller, api: ServedApi, letters: Workflow
) -> None:
    path = await run(api, caller, letters, do="")
    timeline = (await caller.get(f"{path}/checkpoints")).json()["items"]
    states = []
    for point in timeline:
        assert (await caller.get(f"{path}/checkpoints/{point['checkpoint_id']}")).json() == point
        answer = await caller.get(f"{path}/state", checkpoint_id=point["checkpoint_id"])
        states.append(answer.json())
        for name in ("checkpoint_id", "thread_id", "next_nodes", "created_at"):
            assert states[-1][name] == point[name]
    assert [state["values"] for state in states] == [
        {"do": "", "letters": ["a", "b"]},
        {"do": "", "letters": ["a"]},
        {"do": ""},
        {},
    ]
    assert (await caller.get(f"{path}/state")).json() == states[0]


async def test_a_waiting_execution_shows_its_question(
    caller: Caller, api: ServedApi, letters: Workflow
) -> None:
    path = await run(api, caller, letters, do="ask")
    state = (await caller.get(f"{path}/state")).json()
    [asked] = state["interrupts"]
    assert (asked["value"], asked["node"], asked["response_schema"]) == (
        "which letter?",
        "second",
        None,
    )
    [newest, *_] = (await caller.get(f"{path}/checkpoints")).json()["items"]
    assert newest["interrupts"] == [asked]


async def test_differences_are_put_together_by_the_graphs_own_reducer(
    caller: Caller, api: ServedApi, changes: Workflow
) -> None:
    path = await run(api, caller, changes, lines=["given"])
    state = (await caller.get(f"{path}/state")).json()
    assert state["values"] == {"count": 2, "lines": ["second", "first", "given"]}
    assert state["not_shown"] == {}


async def test_a_reducer_that_fails_or_does_not_load_hides_nothing_else(
    caller: Caller, api: ServedApi, changes: Workflow, served: Database
) -> None:
    path = await run(api, caller, changes, lines=["given"])
    await change(
        served,
        "UPDATE wtb_workflows SET graph = './changes.py:failing' WHERE id = :id",
        id=changes.id,
    )
    state = (await caller.get(f"{path}/state")).json()
    assert state["values"] == {"count": 2}
    assert state["not_shown"] == {"lines": "ValueError: told to fail"}
    await change(served, "UPDATE wtb_workflows SET project = 'gone' WHERE id = :id", id=changes.id)
    state = (await caller.get(f"{path}/state")).json()
    assert state["values"] == {"count": 2}
    assert "no project 'gone'" in state["not_shown"]["lines"]


async def test_an_execution_that_has_not_begun_has_an_empty_state(
    caller: Caller, letters: Workflow
) -> None:
    accepted = await caller.execute(letters.name)
    answer = await caller.get(f"/executions/{accepted['id']}/state")
    assert answer.status_code == 200
    state = answer.json()
    assert (state["values"], state["checkpoint_id"], state["created_at"]) == ({}, None, None)


async def test_what_does_not_exist_is_not_found_and_what_is_no_id_is_refused(
    caller: Caller, letters: Workflow
) -> None:
    accepted = await caller.execute(letters.name)
    path = f"/executions/{accepted['id']}"
    for missing in (
        await caller.get(f"/executions/{new_id()}/state"),
        await caller.get(f"/executions/{new_id()}/checkpoints/{new_id()}"),
        await caller.get(f"{path}/state", checkpoint_id=new_id()),
        await caller.get(f"{path}/checkpoints/{new_id()}"),
    ):
        problem_of(missing, 404, "not_found")
    for wrong in ("newest", "a\x00b", "' OR 1=1 --"):
        assert fields_of(await caller.get(f"{path}/state", checkpoint_id=wrong)) == [
            "checkpoint_id"
        ]
