"""The pytest plugin: marked functions become tests, one batch test each, and errors are told."""

import socket

import pytest
from wtb_server import NOW, Json, Served, event
from wtb_shapes import BATCH, ID, batch

from wtb_async.pytest_plugin import bench

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("plugin_alone")

OWN = """
import pytest
CASES = [{"id": f"q{n}", "input": {"n": n}, "reference": {"n": n}} for n in range(3)]

@pytest.mark.wtb("rag", test_cases=CASES, variants={"retriever": "lsa"}, evaluators=["e:hit"])
def test_answers(wtb_result):
    assert wtb_result.output == wtb_result.reference, wtb_result.scores
"""

DATASET = """
import pytest

@pytest.mark.wtb(workflow="rag", dataset="questions")
def test_answers(wtb_result):
    assert wtb_result.status == "completed"

def test_something_else():
    pass
"""


@pytest.fixture
def recording(stand_in: Served) -> Served:
    """A server on which every batch test has three executions, of which the last one failed."""
    stand_in.created["batch-tests"] = batch("pending")
    stand_in.objects[BATCH] = batch("running")
    stand_in.streams[f"{BATCH}/events"] = [event(1, "BatchStarted"), event(2, "BatchCompleted")]
    failed = row(2) | {"status": "failed", "error": {"type": "KeyError", "message": "no luck"}}
    stand_in.lists[f"{BATCH}/results"] = [row(0), row(1), {**failed, "output": None}]
    return stand_in


@pytest.fixture
def questions(recording: Served) -> Served:
    """The same with a dataset of three cases."""
    dataset: Json = {"id": ID, "name": "questions", "version": 7, "cases": 3}
    recording.objects["datasets/questions"] = {**dataset, "created_at": NOW, "updated_at": NOW}
    recording.lists[f"datasets/{ID}/test-cases"] = [
        {"id": f"q{number}", "input": {"n": number}, "reference": None, "metadata": {}}
        for number in range(3)
    ]
    return recording


def row(number: int) -> Json:
    return {
        "execution_id": ID,
        "combination": {},
        "test_case_id": f"q{number}",
        "repetition": 0,
        "status": "completed",
        "output": {"n": number},
        "scores": {"hit": True},
        "scored_at": NOW,
    }


def test_each_case_is_a_test_and_all_are_one_batch_test(
    recording: Served, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_rag=OWN)
    result = pytester.runpytest("-v")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_rag.py::test_answers[[]q0[]] PASSED*",
            "test_rag.py::test_answers[[]q2[]] FAILED*",
            "*Captured wtb setup*",
            f"execution {ID} of test case 'q2' is failed: KeyError: no luck",
            f"wtb: retrievers: 4 test cases, see `wtb batch results {ID}`",
        ]
    )
    [(_, body, _)] = recording.posted
    assert body == {
        "workflow": "rag",
        "name": "test_rag.py::test_answers",
        "variant_matrix": [{"retriever": "lsa"}],
        "evaluators": ["e:hit"],
        "test_cases": [{"id": f"q{n}", "input": {"n": n}, "reference": {"n": n}} for n in range(3)],
    }


def test_evaluators_are_references_or_say_more(
    recording: Served, pytester: pytest.Pytester
) -> None:
    entry = {"use": "wtb.contains", "key": "says_n", "with": {"text": "n"}}
    pytester.makepyfile(OWN.replace('["e:hit"]', f'["e:hit", {entry}]'))
    pytester.runpytest().assert_outcomes(passed=2, failed=1)
    [(_, body, _)] = recording.posted
    assert body["evaluators"] == ["e:hit", entry]


def test_only_selected_cases_are_submitted(recording: Served, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(OWN)
    pytester.runpytest("-k", "q0 or q2").assert_outcomes(passed=1, failed=1, deselected=1)
    [(_, body, _)] = recording.posted
    assert [case["id"] for case in body["test_cases"]] == ["q0", "q2"]  # type: ignore[attr-defined]


def test_nothing_is_submitted_before_a_test_runs(
    recording: Served, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(OWN)
    pytester.runpytest("--collect-only").stdout.fnmatch_lines(["*3 tests collected*"])
    assert recording.posted == []
    assert recording.queries == {}


def test_other_parametrisations_share_the_cases(
    recording: Served, pytester: pytest.Pytester
) -> None:
    marks = '@pytest.mark.parametrize("key", ["hit", "miss"])\n@pytest.mark.wtb('
    pytester.makepyfile(
        OWN.replace("@pytest.mark.wtb(", marks).replace("(wtb_result)", "(wtb_result, key)")
    )
    pytester.runpytest().assert_outcomes(passed=4, failed=2)
    [(_, body, _)] = recording.posted
    assert len(body["test_cases"]) == 3  # type: ignore[arg-type]


def test_all_cases_of_a_dataset_run_as_the_version_that_was_collected(
    questions: Served, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(DATASET)
    pytester.runpytest().assert_outcomes(passed=3, failed=1)
    [(_, body, _)] = questions.posted
    assert (body["dataset"], body["dataset_version"]) == ("questions", 7)
    assert "test_cases" not in body
    assert questions.queries[f"datasets/{ID}/test-cases"][0]["version"] == "7"


def test_a_part_of_a_dataset_runs_as_cases_of_the_batch_test(
    questions: Served, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(DATASET)
    pytester.runpytest("-k", "q1").assert_outcomes(passed=1, deselected=3)
    [(_, body, _)] = questions.posted
    assert body["test_cases"] == [
        {"id": "q1", "input": {"n": 1}, "reference": None, "metadata": {}}
    ]
    assert "dataset" not in body


def test_a_limit_chooses_the_cases_that_the_server_would(
    questions: Served, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(DATASET.replace('"questions"', '"questions", limit=2'))
    pytester.runpytest("-k", "answers").assert_outcomes(passed=1, failed=1, deselected=1)
    [(_, body, _)] = questions.posted
    assert (body["limit"], body["dataset_version"]) == (2, 7)


def test_without_a_server_the_test_fails_with_the_next_step_and_others_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WTB_URL", raising=False)
    pytester.makepyfile(test_own=OWN, test_dataset=DATASET)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, errors=4)
    assert result.stdout.str().count('run "wtb up" first') >= 4
    pytester.runpytest("-k", "something_else").assert_outcomes(passed=1, deselected=4)


@pytest.mark.usefixtures("recording")
def test_a_dataset_that_is_not_there_is_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(DATASET)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*there is no datasets/questions*"])


def test_a_refusal_fails_every_test_and_is_asked_for_once(
    recording: Served, pytester: pytest.Pytester
) -> None:
    del recording.created["batch-tests"]
    pytester.makepyfile(OWN)
    result = pytester.runpytest()
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["variants.retriever: no variant 'nope'"])
    assert len(recording.posted) == 1


def test_a_case_that_does_not_end_in_time_fails_its_test(
    recording: Served, pytester: pytest.Pytester
) -> None:
    recording.streams[f"{BATCH}/events"] = [event(1, "BatchStarted")]
    recording.lists[f"{BATCH}/results"] = [row(0) | {"scored_at": None}]
    cases = '[{"id": "q0", "input": {}}], timeout_seconds=0.2'
    pytester.makepyfile(OWN.replace("=CASES", f"={cases}"))
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*test case 'q0' has no result after 0.2 s*{ID}*"])


def test_a_server_that_is_silent_is_not_waited_for(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "_REACH_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("WTB_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("WTB_API_KEY", "any")
        pytester.makepyfile(OWN)
        result = pytester.runpytest()
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["the WTB server has not answered within 0.2 s"])


def test_processes_that_would_each_run_all_cases_are_refused(
    recording: Served, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(OWN)
    processes = ("-p", "xdist", "-n", "2", "-p", "no:cacheprovider")
    result = pytester.runpytest(*processes)
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["each of 2 processes would run all cases, *"])
    assert recording.posted == []
    pytester.runpytest(*processes, "--dist", "loadfile").assert_outcomes(passed=2, failed=1)
    assert len(recording.posted) == 1


@pytest.mark.usefixtures("recording")
def test_a_marked_test_may_be_async(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(OWN.replace("def test_answers", "async def test_answers"))
    options = ("asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function")
    given = [word for option in options for word in ("-o", option)]
    result = pytester.runpytest("-p", "pytest_asyncio.plugin", *given)
    result.assert_outcomes(passed=2, failed=1)


def test_a_batch_test_that_ends_without_a_case_fails_its_test(
    recording: Served, pytester: pytest.Pytester
) -> None:
    recording.lists[f"{BATCH}/results"] = [row(0)]
    pytester.makepyfile(OWN)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(
        ["*test case 'q1' has no result although the batch test has ended*"]
    )


def test_a_session_without_marked_tests_imports_nothing_of_wtb(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_it():
            own = {name for name in sys.modules if name.startswith("wtb_async")}
            assert own == {"wtb_async", "wtb_async.pytest_plugin"}
            assert not {"httpx2", "pydantic", "numpy"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
