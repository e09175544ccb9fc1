"""The whole system in this process: what a test bench gives, without broker, Redis or Ray."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from arranging import PROJECTS, eventually
from local_benches import Words, build, case, local_bench, words_project

from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.execution import ExecutionStatus, PauseReason
from wtb_async.sdk.bench import BatchExecutor, WTBTestBench
from wtb_async.sdk.errors import ApiError
from wtb_async.sdk.models import Breakpoints
from wtb_async.sdk.project import WorkflowProject


def loud(state: Words) -> Words:
    return {"answer": " ".join(state["words"]).upper()}


def same(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
    return bool(outputs["answer"] == reference_outputs["answer"])


async def test_functions_without_a_name_run_as_they_are(bench: WTBTestBench) -> None:
    project = words_project(shouting=lambda state: {"answer": state["text"] + "!"})
    registered = await bench.register_project(project)
    assert registered.nodes == ("split", "join")
    plain = await bench.run("words", {"text": "to  be"})
    assert (plain.status, plain.output["answer"]) == (ExecutionStatus.COMPLETED, "to be")  # type: ignore[index, call-overload]
    shouted = await bench.run("words", {"text": "to be"}, variants={"join": "shouting"})
    assert shouted.output == {"text": "to be", "words": ["to", "be"], "answer": "to be!"}
    assert bench.batch_executor is BatchExecutor.LOCAL


async def test_a_function_of_a_module_is_named_by_it(bench: WTBTestBench) -> None:
    project = WorkflowProject("words", build)
    project.register_workflow_variant("again", build)
    registered = await bench.register_project(project)
    assert registered.graph == "local_benches:build"
    assert [each.graph for each in registered.workflow_variants] == ["local_benches:build"]
    execution = await bench.run("words", {"text": "a b"}, workflow_variant="again")
    assert execution.status is ExecutionStatus.COMPLETED


async def test_a_project_that_is_registered_again_runs_its_new_functions(
    bench: WTBTestBench,
) -> None:
    answers = []
    for word in ("one", "two"):

        def answer(state: Words, word: str = word) -> Words:
            return {"text": state["text"], "answer": word}

        await bench.register_project(words_project(second=answer))
        execution = await bench.run("words", {"text": ""})
        assert isinstance(execution.output, dict)
        answers.append(execution.output["answer"])
    assert answers == ["one", "two"]


async def test_plain_functions_run_in_threads_side_by_side(bench: WTBTestBench) -> None:
    meeting = threading.Barrier(4, timeout=10)

    def meet(state: Words) -> Words:
        meeting.wait()
        return {"words": [state["text"]]}

    await bench.register_project(words_project(first=meet))
    runs = (bench.run("words", {"text": "a"}) for _ in range(4))
    assert {each.status for each in await asyncio.gather(*runs)} == {ExecutionStatus.COMPLETED}


async def test_an_execution_goes_back_in_time_and_branches(bench: WTBTestBench) -> None:
    await bench.register_project(words_project(loud=loud))
    execution = await bench.run("words", {"text": "a b"})
    newest, before_join, *_ = await bench.get_checkpoints(execution.id)
    assert before_join.next_nodes == ("join",)
    back = await bench.rollback(execution.id, before_join.id)
    assert back.status is ExecutionStatus.PAUSED
    state = await bench.get_state(execution.id)
    assert state.values == {"text": "a b", "words": ["a", "b"]}
    again = await bench.resume(execution.id, state={"words": ["c"]})
    assert again.output == {"text": "a b", "words": ["c"], "answer": "c"}
    fork = await bench.branch(execution.id, before_join.id, variants={"join": "loud"})
    assert fork.output == {"text": "a b", "words": ["a", "b"], "answer": "A B"}
    assert newest.id != before_join.id
    assert [each.node for each in await bench.nodes(fork.id)] == ["split", "join"]


async def test_an_execution_pauses_goes_on_and_is_stopped(bench: WTBTestBench) -> None:
    await bench.register_project(words_project())
    halt = Breakpoints(before=("join",))
    paused = await bench.run("words", {"text": "a"}, breakpoints=halt)
    assert (paused.status, paused.pause_reason) == (
        ExecutionStatus.PAUSED,
        PauseReason.BREAKPOINT,
    )
    assert (await bench.resume(paused.id)).status is ExecutionStatus.COMPLETED
    other = await bench.run("words", {"text": "a"}, breakpoints=halt)
    assert (await bench.stop(other.id)).status is ExecutionStatus.CANCELLED


async def test_a_run_that_is_under_way_is_paused_where_it_stands(bench: WTBTestBench) -> None:
    began, release = asyncio.Event(), asyncio.Event()

    async def wait(state: Words) -> Words:
        began.set()
        await release.wait()
        return {"words": [state["text"]]}

    await bench.register_project(words_project(first=wait))
    execution = await bench.run("words", {"text": "a"}, wait=False)
    await began.wait()
    await bench.pause(execution.id, wait=False)
    release.set()
    paused = await bench.wait_for(execution.id)
    assert (paused.status, paused.next_nodes) == (ExecutionStatus.PAUSED, ("join",))
    assert (await bench.get(execution.id)) == paused


async def test_what_a_graph_shows_at_work_is_between_its_events(bench: WTBTestBench) -> None:
    await bench.register_project(words_project())
    execution = await bench.run("words", {"text": "a"}, stream=["updates"])
    shown = [(each.type, each.id) async for each in bench.events(execution.id)]
    assert shown == [
        ("ExecutionCreated", "1"),
        ("ExecutionStarted", "2"),
        ("UpdatesStreamed", "2-1"),
        ("UpdatesStreamed", "2-2"),
        ("ExecutionCompleted", "3"),
    ]


async def test_a_batch_is_scored_by_functions_and_compared(bench: WTBTestBench) -> None:
    await bench.register_project(words_project(loud=loud))
    batch = await bench.run_batch_test(
        "words",
        variant_matrix={"join": ["base", "loud"]},
        test_cases=[case(str(number), f"word {number}") for number in range(10)],
        evaluators=[same, "wtb.latency"],
        name="voices",
    )
    assert (batch.status, batch.counts.completed) == (BatchStatus.COMPLETED, 20)
    rows = await bench.results(batch.id)
    assert {(row.combination["join"], row.scores["same"]) for row in rows} == {
        ("base", True),
        ("loud", False),
    }
    assert {(each.node, each.shared) for row in rows for each in row.nodes} == {
        ("split", True),
        ("join", False),
    }
    verdict = str(await bench.compare(batch.id))
    assert "join=loud is worse than the baseline" in verdict
    assert await bench.get_batch_test(batch.id) == batch


async def test_a_batch_runs_on_a_dataset(bench: WTBTestBench) -> None:
    await bench.register_project(words_project())
    await bench.datasets.create("sentences")
    await bench.datasets.import_cases("sentences", json.dumps(case("one", "a b")).encode())
    batch = await bench.run_batch_test("words", dataset="sentences", evaluators=[same])
    [row] = await bench.results(batch.id)
    assert (row.test_case_id, row.scores) == ("one", {"same": True})


async def test_evaluators_of_one_name_are_refused(bench: WTBTestBench) -> None:
    await bench.register_project(words_project())
    evaluators = [lambda run: run.id == "", lambda run: run.status == "completed"]
    with pytest.raises(ApiError, match="another evaluator scores under 'function'"):
        await bench.run_batch_test(
            "words", test_cases=[{"id": "one", "input": {"text": "a b"}}], evaluators=evaluators
        )


async def test_functions_of_one_name_score_under_keys_of_their_own(bench: WTBTestBench) -> None:
    await bench.register_project(words_project())
    batch = await bench.run_batch_test(
        "words",
        test_cases=[{"id": "one", "input": {"text": "a b"}}],
        evaluators=[
            {"key": "wrong", "use": lambda run: run.id == ""},
            {"key": "right", "use": lambda run: run.status == "completed"},
        ],
    )
    [row] = await bench.results(batch.id)
    assert row.scores == {"wrong": False, "right": True}


async def test_a_variant_that_cannot_take_the_node_s_place_is_refused(bench: WTBTestBench) -> None:
    project = words_project()
    project.register_variant("nowhere", "other", loud)
    with pytest.raises(ApiError, match="nowhere"):
        await bench.register_project(project)


async def test_it_says_that_it_is_ready(bench: WTBTestBench) -> None:
    async def is_ready() -> bool:
        return (await bench.client.ready()).is_ready

    await eventually(is_ready)
    ready = await bench.client.ready()
    assert set(ready.parts) == {"postgres", "relay", "runners"}


async def test_graphs_of_a_langgraph_json_are_there_at_once(database_url: str) -> None:
    async with local_bench(database_url, project=PROJECTS / "letters/langgraph.json") as bench:
        execution = await bench.run("letters", {}, variants={"second": "loud"})
        assert execution.output == {"letters": ["a", "B!"]}
        batch = await bench.run_batch_test(
            "letters",
            test_cases=[{"id": "one", "input": {}}],
            evaluators=[lambda outputs: len(outputs["letters"])],
        )
        [row] = await bench.results(batch.id)
        assert row.scores == {"function": 2.0}


async def test_an_unreadable_project_leaves_nothing_open(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        async with local_bench(database_url, project=tmp_path / "langgraph.json"):
            pass
    async with local_bench(database_url) as bench:
        assert (await bench.client.health()).status == "ok"
