"""The client speaks the contract over real HTTP, and survives broken connections."""

import dataclasses
import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from wtb_server import API_KEY, CUT, NOW, Served, event, settles_with
from wtb_shapes import BATCH, EXECUTION, ID, batch, execution

from wtb_async.domain.comparing import compare
from wtb_async.domain.comparison import Comparison, ScoredRow
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.errors import ApiError, ServerUnreachable, UnexpectedAnswer


@pytest.fixture
async def client(stand_in: Served) -> AsyncIterator[WTBClient]:
    async with WTBClient(stand_in.url, api_key=API_KEY) as client:
        yield client


async def test_an_execution_is_created_as_the_contract_says(
    stand_in: Served, client: WTBClient
) -> None:
    stand_in.created["executions"] = execution("pending")
    created = await client.executions.create(
        "rag", {"question": "why?"}, variants={"retriever": "tfidf"}, idempotency_key="k1"
    )
    path, body, key = stand_in.posted[0]
    assert created.id == UUID(ID)
    assert (path, key) == ("executions", "k1")
    assert body["workflow"] == "rag"
    assert body["input"] == {"question": "why?"}
    assert body["variants"] == {"retriever": "tfidf"}


async def test_variants_are_added_below_their_workflow(stand_in: Served, client: WTBClient) -> None:
    stand_in.created["workflows/my rag/nodes/retriever/variants"] = {
        "name": "tfidf",
        "implementation": "m:tfidf",
    }
    added = await client.workflows.create_node_variant("my rag", "retriever", "tfidf", "m:tfidf")
    assert added.implementation == "m:tfidf"
    stand_in.created["workflows/my rag/variants"] = {"name": "agentic", "graph": "m:agentic"}
    other = await client.workflows.create_variant("my rag", "agentic", "m:agentic")
    assert (other.name, other.graph) == ("agentic", "m:agentic")


async def test_a_list_is_walked_over_all_its_pages(stand_in: Served, client: WTBClient) -> None:
    stand_in.lists["workflows"] = [
        {"id": ID, "name": f"w{number}", "graph": "m:g"} for number in range(5)
    ]
    names = [workflow.name async for workflow in client.workflows.list(page_size=2)]
    assert names == ["w0", "w1", "w2", "w3", "w4"]


async def test_fields_of_a_newer_server_are_kept(stand_in: Served, client: WTBClient) -> None:
    stand_in.objects[EXECUTION] = {**execution("running"), "colour": "green"}
    assert (await client.executions.get(ID)).model_dump(mode="json")["colour"] == "green"


async def test_a_refusal_names_the_field_and_what_is_wrong_with_it(client: WTBClient) -> None:
    with pytest.raises(ApiError, match=r"variants\.retriever: no variant 'nope'") as refused:
        await client.executions.create("rag", {}, variants={"retriever": "nope"})
    assert (refused.value.status, refused.value.code) == (422, "invalid_input")


async def test_a_wrong_key_is_told_what_to_do(stand_in: Served) -> None:
    async with WTBClient(stand_in.url, api_key="wrong") as stranger:
        with pytest.raises(ApiError, match="WTB_API_KEY"):
            await stranger.executions.get(ID)


async def test_a_missing_object_is_an_error_of_its_own_code(client: WTBClient) -> None:
    with pytest.raises(ApiError) as missing:
        await client.batch_tests.get(ID)
    assert missing.value.code == "not_found"


async def test_a_server_that_is_not_there_is_named() -> None:
    async with WTBClient("http://127.0.0.1:9", api_key=API_KEY) as client:
        with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:9"):
            await client.health()


async def test_an_answer_of_another_shape_is_not_taken(stand_in: Served, client: WTBClient) -> None:
    stand_in.objects[EXECUTION] = {"hello": "world"}
    with pytest.raises(UnexpectedAnswer):
        await client.executions.get(ID)


async def test_health_and_readiness_are_told_part_by_part(client: WTBClient) -> None:
    assert (await client.health()).status == "ok"
    readiness = await client.ready()
    assert not readiness.is_ready
    assert readiness.parts["ray"].state == "down"


async def test_events_end_with_the_execution(stand_in: Served, client: WTBClient) -> None:
    stand_in.objects[EXECUTION] = execution("running")
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(1, "ExecutionCreated"),
        event(2, "ExecutionStarted"),
        event(3, "ExecutionFailed", error={"type": "ValueError"}),
    ]
    events = [each async for each in client.executions.events(ID)]
    assert [each.type for each in events] == [
        "ExecutionCreated",
        "ExecutionStarted",
        "ExecutionFailed",
    ]
    assert events[-1].data == {"error": {"type": "ValueError"}}


async def test_a_broken_stream_goes_on_after_the_last_event(
    stand_in: Served, client: WTBClient
) -> None:
    stand_in.objects[EXECUTION] = execution("running")
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(1, "ExecutionCreated"),
        event(2, "ExecutionStarted"),
        CUT,
        event(3, "ExecutionCompleted"),
    ]
    events = [each.id async for each in client.executions.events(ID)]
    assert events == ["1", "2", "3"]
    assert stand_in.resumed_from == [None, "2"]


async def test_events_of_a_missing_execution_are_refused(client: WTBClient) -> None:
    with pytest.raises(ApiError, match="there is no"):
        await anext(aiter(client.executions.events(ID)))


async def test_waiting_is_over_when_the_end_is_told(stand_in: Served, client: WTBClient) -> None:
    stand_in.objects[EXECUTION] = execution("running")
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(1, "ExecutionStarted"),
        CUT,
        event(2, "ExecutionCompleted"),
    ]
    settles_with(stand_in, "ExecutionCompleted", EXECUTION, execution("completed"))
    assert (await client.executions.wait_for(ID)).status == "completed"


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "paused"])
async def test_waiting_for_what_is_over_already_returns_at_once(
    stand_in: Served, client: WTBClient, status: str
) -> None:
    stand_in.objects[EXECUTION] = execution(status)
    stand_in.streams[f"{EXECUTION}/events"] = []
    assert (await client.executions.wait_for(ID)).status == status


async def test_waiting_for_a_batch_tells_how_far_it_is(stand_in: Served, client: WTBClient) -> None:
    stand_in.objects[BATCH] = batch("running")
    stand_in.streams[f"{BATCH}/events"] = [
        event(1, "BatchProgress", counts={"total": 4, "completed": 1, "failed": 1}, scored=1),
        event(2, "BatchCompleted"),
    ]
    settles_with(stand_in, "BatchCompleted", BATCH, batch("completed", completed=3, failed=1))
    stand_in.events_wait_for = BATCH
    seen: list[tuple[int, int | None]] = []
    ended = await client.batch_tests.wait_for(
        ID, lambda progress: seen.append((progress.counts.ended, progress.scored))
    )
    assert ended.status == "completed"
    assert seen == [(0, None), (2, 1), (4, None)]


async def test_a_comparison_arrives_as_it_was_made(stand_in: Served, client: WTBClient) -> None:
    rows = [
        ScoredRow(
            combination={"retriever": variant},
            test_case_id=str(case),
            repetition=0,
            status="completed",
            scores={"hit": case % 2 == 0 or variant == "tfidf"},
            duration_ms=1.5,
        )
        for variant in ("base", "tfidf")
        for case in range(20)
    ]
    made: Comparison = compare(rows, baseline={"retriever": "base"})
    stand_in.objects[f"{BATCH}/comparison"] = json.loads(json.dumps(dataclasses.asdict(made)))
    assert await client.batch_tests.comparison(ID) == made


async def test_a_checkpoint_is_read_by_its_id(stand_in: Served, client: WTBClient) -> None:
    asked = {
        "id": "i-1",
        "kind": "interrupt",
        "value": "which?",
        "node": "ask",
        "response_schema": {"type": "string"},
    }
    stand_in.objects[f"{EXECUTION}/checkpoints/c-1"] = {
        "checkpoint_id": "c-1",
        "thread_id": ID,
        "step": 1,
        "source": "loop",
        "created_at": NOW,
        "interrupts": [asked],
    }
    checkpoint = await client.executions.checkpoint(ID, "c-1")
    assert checkpoint.step == 1
    assert [question.model_dump() for question in checkpoint.interrupts] == [asked]
