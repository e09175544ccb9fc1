"""The commands on executions: what they send, what they print, and how they end."""

import json
from pathlib import Path

import pytest
from wtb_command import wtb
from wtb_server import Served, event, settles_with
from wtb_shapes import EXECUTION, ID, execution

from wtb_async.domain.json import JsonObject

CHECKPOINT = "1f0c9c1e-6f3c-6a5e-8001-4e9b6d6f1c11"
QUESTION = "0123456789abcdef0123456789abcdef"
OTHER_QUESTION = "f" * 32

PAUSE: JsonObject = {"reason": None, "at_node": None}
RESUME: JsonObject = {"state": None, "as_node": None, "answers": None}
ROLLBACK: JsonObject = {
    "checkpoint_id": None,
    "before_node": None,
    "after_node": None,
    "restore_files": True,
}
BRANCH: JsonObject = {"checkpoint_id": CHECKPOINT, "state": None, "variants": {}, "start": True}


@pytest.mark.parametrize(
    ("verb", "arguments", "path", "body"),
    [
        ("pause", [], "pause", PAUSE),
        (
            "pause",
            ["--at-node", "b", "--reason", "lunch"],
            "pause",
            {"reason": "lunch", "at_node": "b"},
        ),
        ("resume", [], "resume", RESUME),
        (
            "resume",
            ["--state", '{"n": 1}', "--as-node", "a"],
            "resume",
            {**RESUME, "state": {"n": 1}, "as_node": "a"},
        ),
        ("resume", ["--answer", '"yes"'], "resume", {**RESUME, "answers": "yes"}),
        ("resume", ["--answer", '{"a": 1}'], "resume", {**RESUME, "answers": {"a": 1}}),
        (
            "resume",
            ["--answer", f"{QUESTION}=null", "--answer", f'{OTHER_QUESTION}="a=b"'],
            "resume",
            {**RESUME, "answers": {QUESTION: None, OTHER_QUESTION: "a=b"}},
        ),
        ("stop", ["--reason", "enough"], "stop", {"reason": "enough"}),
        (
            "rollback",
            ["--checkpoint", CHECKPOINT],
            "rollback",
            {**ROLLBACK, "checkpoint_id": CHECKPOINT},
        ),
        ("rollback", ["--before-node", "b"], "rollback", {**ROLLBACK, "before_node": "b"}),
        (
            "rollback",
            ["--after-node", "b", "--keep-files"],
            "rollback",
            {**ROLLBACK, "after_node": "b", "restore_files": False},
        ),
        ("rollback", ["--after-node", "b"], "rollback", {**ROLLBACK, "after_node": "b"}),
        ("branch", ["--checkpoint", CHECKPOINT], "branch", BRANCH),
        (
            "branch",
            ["--checkpoint", CHECKPOINT, "--variant", "b=x", "--variant", "c=y", "--no-start"],
            "branch",
            {**BRANCH, "variants": {"b": "x", "c": "y"}, "start": False},
        ),
        ("edit-state", ["--state", '{"n": 1}'], "state", {"state": {"n": 1}, "as_node": None}),
    ],
)
def test_each_verb_sends_its_command_and_prints_the_execution(
    stand_in: Served, verb: str, arguments: list[str], path: str, body: JsonObject
) -> None:
    stand_in.created[f"{EXECUTION}/{path}"] = execution("pending", version=7)
    shown = wtb("executions", verb, ID, *arguments)
    assert shown.exit_code == 0, shown.output
    assert ["status", "pending"] in [line.split() for line in shown.stdout.splitlines()]
    document = wtb("executions", verb, ID, *arguments, "--json")
    assert json.loads(document.stdout)["version"] == 7
    assert stand_in.posted == [(f"{EXECUTION}/{path}", body, None)] * 2


def test_values_can_come_from_a_file(stand_in: Served, tmp_path: Path) -> None:
    stand_in.created[f"{EXECUTION}/resume"] = execution("pending")
    (tmp_path / "values.json").write_text('{"n": 1}')
    (tmp_path / "answer.json").write_text('["yes"]')
    state, answer = f"@{tmp_path}/values.json", f"{QUESTION}=@{tmp_path}/answer.json"
    result = wtb("executions", "resume", ID, "--state", state, "--answer", answer)
    assert result.exit_code == 0, result.output
    assert stand_in.posted[0][1] == {
        "state": {"n": 1},
        "as_node": None,
        "answers": {QUESTION: ["yes"]},
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["resume", ID, "--answer", "yes"],
        ["resume", ID, "--answer", "1", "--answer", "2"],
        ["resume", ID, "--answer", f"{QUESTION}=1", "--answer", "2"],
        ["resume", ID, "--answer", f"{QUESTION}=1", "--answer", f"{QUESTION}=2"],
        ["resume", ID, "--state", "[1]"],
        ["rollback", ID],
        ["rollback", ID, "--checkpoint", CHECKPOINT, "--after-node", "b"],
        ["branch", ID],
        ["branch", ID, "--checkpoint", CHECKPOINT, "--variant", "b"],
        ["edit-state", ID],
        ["edit-state", ID, "--state", "7"],
        ["pause"],
    ],
)
def test_a_wrong_command_line_ends_with_2_and_sends_nothing(
    stand_in: Served, arguments: list[str]
) -> None:
    assert wtb("executions", *arguments).exit_code == 2
    assert stand_in.posted == []


@pytest.mark.parametrize(
    ("verb", "arguments", "path", "end", "code"),
    [
        ("pause", [], "pause", execution("paused", version=9), 0),
        ("pause", [], "pause", execution("completed", version=9), 1),
        ("resume", [], "resume", execution("completed", version=9), 0),
        ("resume", [], "resume", execution("paused", version=9), 1),
        ("resume", [], "resume", execution("failed", version=9), 1),
        ("stop", [], "stop", execution("cancelled", version=9), 0),
        ("stop", [], "stop", execution("completed", version=9), 1),
        ("branch", ["--checkpoint", CHECKPOINT], "branch", execution("completed", version=9), 0),
        (
            "branch",
            ["--checkpoint", CHECKPOINT, "--no-start"],
            "branch",
            execution("paused", version=9),
            0,
        ),
        ("edit-state", ["--state", "{}"], "state", execution("paused", version=9), 0),
        (
            "edit-state",
            ["--state", "{}"],
            "state",
            execution("paused", version=9, error={"type": "E", "message": "refused"}),
            1,
        ),
    ],
)
def test_waiting_ends_with_0_once_it_is_as_was_wanted_and_with_1_otherwise(
    stand_in: Served, verb: str, arguments: list[str], path: str, end: JsonObject, code: int
) -> None:
    stand_in.created[f"{EXECUTION}/{path}"] = execution("running", version=7)
    stand_in.objects[EXECUTION] = execution("paused", version=6)
    stand_in.streams[f"{EXECUTION}/events"] = [event(9, "ExecutionPaused")]
    settles_with(stand_in, "ExecutionPaused", EXECUTION, end)
    result = wtb("executions", verb, ID, *arguments, "--wait", "--json")
    assert result.exit_code == code, result.output
    assert json.loads(result.stdout)["status"] == end["status"]


@pytest.mark.usefixtures("stand_in")
def test_a_refused_command_ends_with_1_and_says_why() -> None:
    result = wtb("executions", "pause", ID)
    assert result.exit_code == 1
    assert "it cannot be accepted" in result.stderr


def test_an_open_question_is_shown_with_the_command_that_answers_it(stand_in: Served) -> None:
    asked: JsonObject = {
        "id": QUESTION,
        "kind": "interrupt",
        "node": "b",
        "value": "how [many]?",
        "response_schema": {"type": "integer"},
    }
    stand_in.objects[EXECUTION] = execution(
        "paused", pause_reason="interrupt", next_nodes=["b"], interrupts=[asked]
    )
    shown = wtb("executions", "show", ID)
    lines = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    assert ["question", '"how [many]?"'] in lines
    assert ["schema", '{"type": "integer"}'] in lines
    assert ["node", "b"] in lines
    assert ["answer", f"wtb executions resume {ID} --answer {QUESTION}=JSON"] in lines


def test_a_breakpoint_is_shown_with_the_command_that_passes_it(stand_in: Served) -> None:
    waits: JsonObject = {"id": "t", "kind": "breakpoint", "node": "b", "value": None}
    stand_in.objects[EXECUTION] = execution("paused", pause_reason="breakpoint", interrupts=[waits])
    lines = wtb("executions", "show", ID).stdout.splitlines()
    assert ["breakpoint", "before node b"] in [line.split(maxsplit=1) for line in lines]
    assert lines[-1].endswith(f"wtb executions resume {ID}")


def test_run_sets_breakpoints(stand_in: Served) -> None:
    stand_in.created["executions"] = execution("pending")
    places = ("--breakpoint-before", "b", "--breakpoint-before", "c", "--breakpoint-after", "d")
    result = wtb("run", "rag", "--input", "{}", *places)
    assert result.exit_code == 0, result.output
    assert stand_in.posted[0][1]["breakpoints"] == {"before": ["b", "c"], "after": ["d"]}
