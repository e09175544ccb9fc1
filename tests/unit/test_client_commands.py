"""What the client asks of executions, and how it waits for what comes of it."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from wtb_server import API_KEY, CUT, Served, event, settles_with
from wtb_shapes import BATCH, EXECUTION, ID, batch, execution

from wtb_async.domain.batch_test import BatchStatus, ScoringMode
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.executions import Executions
from wtb_async.sdk.models import Breakpoints, Execution

CHECKPOINT = "1f0c9c1e-6f3c-6a5e-8001-4e9b6d6f1c11"

Ask = Callable[[Executions], Coroutine[Any, Any, Execution]]


@pytest.fixture
async def client(stand_in: Served) -> AsyncIterator[WTBClient]:
    async with WTBClient(stand_in.url, api_key=API_KEY) as client:
        yield client


@pytest.mark.parametrize(
    ("ask", "verb", "body"),
    [
        (lambda e: e.pause(ID), "pause", {"reason": None, "at_node": None}),
        (
            lambda e: e.pause(ID, reason="lunch", at_node="b"),
            "pause",
            {"reason": "lunch", "at_node": "b"},
        ),
        (lambda e: e.resume(ID), "resume", {"state": None, "as_node": None, "answers": None}),
        (
            lambda e: e.resume(ID, state={"n": 1}, as_node="a", answers=False),
            "resume",
            {"state": {"n": 1}, "as_node": "a", "answers": False},
        ),
        (lambda e: e.stop(ID, reason="enough"), "stop", {"reason": "enough"}),
        (
            lambda e: e.roll_back(ID, checkpoint_id=CHECKPOINT),
            "rollback",
            {
                "checkpoint_id": CHECKPOINT,
                "before_node": None,
                "after_node": None,
                "restore_files": True,
            },
        ),
        (
            lambda e: e.roll_back(ID, before_node="b"),
            "rollback",
            {
                "checkpoint_id": None,
                "before_node": "b",
                "after_node": None,
                "restore_files": True,
            },
        ),
        (
            lambda e: e.branch(ID, CHECKPOINT, state={"n": 1}, variants={"b": "x"}, start=False),
            "branch",
            {
                "checkpoint_id": CHECKPOINT,
                "state": {"n": 1},
                "variants": {"b": "x"},
                "start": False,
            },
        ),
        (lambda e: e.edit_state(ID, {"n": 1}), "state", {"state": {"n": 1}, "as_node": None}),
    ],
)
async def test_each_command_is_sent_as_the_contract_says(
    stand_in: Served, client: WTBClient, ask: Ask, verb: str, body: JsonObject
) -> None:
    path = f"{EXECUTION}/{verb}"
    stand_in.created[path] = execution("pending", version=7)
    answered = await ask(client.executions)
    assert (answered.status, answered.version) == ("pending", 7)
    assert stand_in.posted == [(path, body, None)]


@pytest.mark.parametrize("reason", [None, "lunch"])
@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("pause", "pause"),
        ("resume", "resume"),
        ("stop", "stop"),
        ("retry_failed", "retry-failed"),
    ],
)
async def test_each_command_on_a_batch_is_sent_as_the_contract_says(
    stand_in: Served, client: WTBClient, verb: str, path: str, reason: str | None
) -> None:
    stand_in.created[f"{BATCH}/{path}"] = {**batch("running"), "becomes": "paused", "version": 7}
    answered = await getattr(client.batch_tests, verb)(ID, reason=reason)
    assert (answered.status, answered.becomes, answered.version) == ("running", "paused", 7)
    assert stand_in.posted == [(f"{BATCH}/{path}", {"reason": reason}, None)]


async def test_waiting_for_a_batch_passes_over_an_end_that_it_was_led_out_of(
    stand_in: Served, client: WTBClient
) -> None:
    stand_in.objects[BATCH] = {**batch("running"), "version": 4}
    stand_in.streams[f"{BATCH}/events"] = [
        event(3, "BatchCancelled"),
        event(4, "BatchResumed"),
        event(5, "BatchCompleted"),
    ]
    settles_with(stand_in, "BatchCompleted", BATCH, {**batch("completed"), "version": 5})
    seen = [each.type async for each in client.batch_tests.events(ID)]
    assert seen == ["BatchCancelled", "BatchResumed", "BatchCompleted"]
    stand_in.objects[BATCH] = {**batch("running"), "version": 4}
    assert (await client.batch_tests.wait_for(ID)).status == "completed"


async def test_waiting_for_a_pause_ends_with_it(stand_in: Served, client: WTBClient) -> None:
    stand_in.objects[BATCH] = batch("running")
    stand_in.streams[f"{BATCH}/events"] = [event(3, "BatchPaused")]
    settles_with(stand_in, "BatchPaused", BATCH, batch("paused"))
    rested = await client.batch_tests.wait_for(ID, until={BatchStatus.PAUSED})
    assert rested.status == "paused"


async def test_breakpoints_are_sent_with_the_execution(stand_in: Served, client: WTBClient) -> None:
    stand_in.created["executions"] = execution("pending")
    await client.executions.create("rag", {}, breakpoints=Breakpoints(before=("b",), after=("c",)))
    assert stand_in.posted[0][1]["breakpoints"] == {"before": ["b"], "after": ["c"]}


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ({"id": "i", "kind": "interrupt", "node": "b", "value": "which?"}, "interrupt"),
        ({"id": "t", "kind": "breakpoint", "node": "b", "value": None}, "breakpoint"),
    ],
)
async def test_an_execution_tells_what_it_waits_for(
    stand_in: Served, client: WTBClient, shown: dict[str, JsonValue], kind: str
) -> None:
    schema: JsonObject = {"type": "string"}
    stand_in.objects[EXECUTION] = execution(
        "paused", pause_reason=kind, interrupts=[{**shown, "response_schema": schema}]
    )
    [waits] = (await client.executions.get(ID)).interrupts
    assert (waits.id, waits.kind, waits.node) == (shown["id"], kind, "b")
    assert (waits.value, waits.response_schema) == (shown["value"], schema)


async def test_waiting_after_a_command_does_not_return_the_state_before_it(
    stand_in: Served, client: WTBClient
) -> None:
    stand_in.objects[EXECUTION] = execution("paused", version=3)
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(3, "ExecutionPaused"),
        event(4, "ExecutionResumed"),
        event(5, "ExecutionStarted"),
        CUT,
        event(6, "ExecutionPaused"),
    ]
    settles_with(stand_in, "ExecutionPaused", EXECUTION, execution("paused", version=6))
    stand_in.events_wait_for = EXECUTION
    rested = await client.executions.wait_for(ID, since=4)
    assert (rested.status, rested.version) == ("paused", 6)
    assert stand_in.resumed_from == ["4", "5"]


async def test_waiting_passes_over_a_pause_that_is_history(
    stand_in: Served, client: WTBClient
) -> None:
    stand_in.objects[EXECUTION] = execution("pending", version=4)
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(3, "ExecutionPaused"),
        event(4, "ExecutionResumed"),
        event(5, "ExecutionStarted"),
        event(6, "ExecutionCompleted"),
    ]
    settles_with(stand_in, "ExecutionCompleted", EXECUTION, execution("completed", version=6))
    stand_in.events_wait_for = EXECUTION
    assert (await client.executions.wait_for(ID)).status == "completed"
    assert len(stand_in.queries[EXECUTION]) == 2


async def test_events_go_on_after_a_failure_that_was_tried_again(
    stand_in: Served, client: WTBClient
) -> None:
    stand_in.objects[EXECUTION] = execution("running", version=5)
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(3, "ExecutionFailed"),
        event(4, "ExecutionResumed"),
        event(5, "ExecutionStarted"),
        event(6, "ExecutionCompleted"),
    ]
    assert [each.id async for each in client.executions.events(ID)] == ["3", "4", "5", "6"]


async def test_a_batch_is_scored_again_and_its_earlier_end_is_not_the_last(
    stand_in: Served, client: WTBClient
) -> None:
    stand_in.created[f"{BATCH}/score"] = batch("running")
    regex: JsonValue = {"use": "wtb.regex", "with": {"pattern": "x"}}
    scored = await client.batch_tests.score(
        ID, [regex], summary_evaluators=["a:b"], mode=ScoringMode.REPLACE
    )
    assert scored.status == "running"
    assert stand_in.posted[0][1] == {
        "evaluators": [regex],
        "pairwise_evaluators": [],
        "summary_evaluators": ["a:b"],
        "mode": "replace",
    }
    stand_in.objects[BATCH] = {**batch("running"), "version": 4}
    kinds = ["BatchStarted", "BatchCompleted", "BatchScoringRequested", "BatchCompleted"]
    stand_in.streams[f"{BATCH}/events"] = [
        event(number, kind) for number, kind in enumerate(kinds, start=2)
    ]
    assert [each.type async for each in client.batch_tests.events(ID)] == kinds
