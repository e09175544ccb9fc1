"""The verbs on top of the API: what they print, and how they end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from wtb_command import wtb
from wtb_server import NOW, Served, event
from wtb_shapes import EXECUTION, ID, execution, node_boundary

_WTB = """
import typer
from wtb_async.cli import batch, demo, executions, run
app = typer.Typer()
for noun in (batch, demo, executions, run):
    noun.register(app)
app()
"""


def test_run_tells_the_accepted_execution(stand_in: Served) -> None:
    stand_in.created["executions"] = execution("pending")
    result = wtb("run", "rag", "--input", '{"question": "why?"}', "--variant", "retriever=tfidf")
    assert result.exit_code == 0, result.output
    assert ID in result.stdout
    assert "pending" in result.stdout
    assert stand_in.posted[0][1]["variants"] == {"retriever": "tfidf"}


def test_run_and_wait_ends_with_the_output(stand_in: Served) -> None:
    stand_in.created["executions"] = execution("pending")
    stand_in.objects[EXECUTION] = {**execution("completed"), "output": {"answer": "because"}}
    stand_in.streams[f"{EXECUTION}/events"] = []
    result = wtb("run", "rag", "--input", "{}", "--wait", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["output"] == {"answer": "because"}


def test_run_and_wait_ends_with_1_when_the_execution_fails(stand_in: Served) -> None:
    error = {"type": "ValueError", "message": "no [luck]", "node": "answerer"}
    stand_in.created["executions"] = execution("pending")
    stand_in.objects[EXECUTION] = {**execution("failed"), "error": error}
    stand_in.streams[f"{EXECUTION}/events"] = []
    result = wtb("run", "rag", "--input", "{}", "--wait")
    assert result.exit_code == 1
    assert "ValueError in node answerer: no [luck]" in result.stdout


@pytest.mark.usefixtures("stand_in")
def test_a_refusal_is_told_without_a_traceback() -> None:
    result = wtb("run", "rag", "--input", "{}", "--variant", "retriever=nope")
    assert result.exit_code == 1
    assert "variants.retriever: no variant 'nope'" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["--input", "{"], ["--input", "{}", "--variant", "retriever"], []]
)
def test_a_wrong_argument_ends_with_2(stand_in: Served, arguments: list[str]) -> None:
    assert wtb("run", "rag", *arguments).exit_code == 2
    assert stand_in.posted == []


def test_without_a_server_the_next_step_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("WTB_URL", raising=False)
    result = wtb("executions", "ls", "--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert 'run "wtb up" first' in result.stderr


def test_a_url_without_a_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WTB_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("WTB_API_KEY", raising=False)
    result = wtb("executions", "ls")
    assert result.exit_code == 1
    assert "set WTB_API_KEY too" in result.stderr


def test_executions_are_listed_and_shown(stand_in: Served) -> None:
    stand_in.lists["executions"] = [execution("completed") for _ in range(3)]
    stand_in.objects[EXECUTION] = execution("completed")
    assert wtb("executions", "ls", "--limit", "2").stdout.count(ID) == 2
    assert len(json.loads(wtb("executions", "ls", "--json").stdout)) == 3
    assert "completed" in wtb("executions", "show", ID).stdout
    assert json.loads(wtb("executions", "show", ID, "--json").stdout)["id"] == ID


def test_tail_follows_to_the_end(stand_in: Served) -> None:
    stand_in.objects[EXECUTION] = execution("running")
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(1, "ExecutionStarted", attempt=1),
        event(2, "ExecutionCompleted"),
    ]
    lines = wtb("executions", "tail", ID).stdout.splitlines()
    assert len(lines) == 2
    assert 'ExecutionStarted      {"attempt": 1}' in lines[0]
    documents = wtb("executions", "tail", ID, "--json").stdout.splitlines()
    assert [json.loads(each)["id"] for each in documents] == ["1", "2"]


def test_tail_begins_where_it_is_told_to(stand_in: Served) -> None:
    stand_in.objects[EXECUTION] = execution("completed")
    stand_in.streams[f"{EXECUTION}/events"] = [
        event(1, "ExecutionStarted"),
        event(2, "ExecutionCompleted"),
    ]
    tailed = wtb("executions", "tail", ID, "--since", "1", "--json")
    assert [json.loads(line)["id"] for line in tailed.stdout.splitlines()] == ["2"]
    assert wtb("executions", "tail", ID, "--since", "last").exit_code == 2


def test_tail_shows_what_the_graph_does_in_one_line_each(stand_in: Served) -> None:
    stand_in.objects[EXECUTION] = execution("running")
    message = {"type": "AIMessageChunk", "content": "Hel"}
    stand_in.streams[f"{EXECUTION}/events"] = [
        event("2-1", "MessageStreamed", ns=[], message=message, metadata={"langgraph_node": "say"}),
        event("2-2", "UpdatesStreamed", ns=["sub:1", "deep:2"], updates={"a": None}, interrupts=[]),
        event("2-3", "CustomStreamed", ns=[], value="x" * 1000),
        event("2-4", "EventsDropped", count=7),
        event(3, "ExecutionCompleted"),
    ]
    lines = wtb("executions", "tail", ID).stdout.splitlines()
    assert lines[0].endswith("MessageStreamed       say: Hel")
    assert lines[1].endswith(
        'UpdatesStreamed       sub/deep/{"updates": {"a": null}, "interrupts": []}'
    )
    assert len(lines[2]) < 250
    assert lines[3].endswith('EventsDropped         {"count": 7}')
    documents = wtb("executions", "tail", ID, "--json").stdout.splitlines()
    assert [json.loads(each)["id"] for each in documents] == ["2-1", "2-2", "2-3", "2-4", "3"]
    assert json.loads(documents[2])["data"]["value"] == "x" * 1000


def test_run_asks_for_stream_modes_by_name_and_by_preset(stand_in: Served) -> None:
    stand_in.created["executions"] = execution("pending")
    modes = ("--stream", "production_audit", "--stream", "tasks")
    result = wtb("run", "rag", "--input", "{}", *modes)
    assert result.exit_code == 0, result.output
    assert stand_in.posted[0][1]["stream"] == ["updates", "custom", "tasks"]
    assert wtb("run", "rag", "--input", "{}", "--stream", "everything").exit_code == 2


def test_a_demo_without_its_project_says_where_to_run_it(tmp_path: Path) -> None:
    result = wtb("demo", "--project", str(tmp_path))
    assert result.exit_code == 1
    assert "--project" in result.stderr


def test_ctrl_c_ends_with_130_and_no_traceback(stand_in: Served) -> None:
    stand_in.objects[EXECUTION] = execution("running")
    stand_in.streams[f"{EXECUTION}/events"] = [event(1, "ExecutionStarted")]
    command = [sys.executable, "-c", _WTB, "executions", "tail", ID]
    tail = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert tail.stdout is not None
    assert "ExecutionStarted" in tail.stdout.readline()
    tail.send_signal(signal.SIGINT)
    _, errors = tail.communicate(timeout=30)
    assert tail.returncode == 130
    assert "Traceback" not in errors


def test_help_loads_nothing_heavy() -> None:
    script = _WTB.replace("app()", "app(['--help'], standalone_mode=False)\n") + (
        "import sys\nprint([name for name in ('scipy', 'ray', 'celery') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[-1] == "[]"


def test_executions_nodes_lists_every_attempt(stand_in: Served) -> None:
    error = {"type": "ValueError", "message": "told [to] fail"}
    stand_in.lists[f"{EXECUTION}/nodes"] = [
        node_boundary("first", "completed", output={"letters": ["a"]}),
        node_boundary("second", "failed", error=error),
    ]
    table = wtb("executions", "nodes", ID)
    assert table.exit_code == 0, table.output
    first, second = (line for line in table.stdout.splitlines() if "12.3 ms" in line)
    assert "completed" in first
    assert '{"letters": ["a"]}' in first
    assert "ValueError: told [to] fail" in second
    listed = json.loads(wtb("executions", "nodes", ID, "--json").stdout)
    assert [each["node"] for each in listed] == ["first", "second"]


def test_executions_state_shows_every_value_or_why_not(stand_in: Served) -> None:
    stand_in.objects[f"{EXECUTION}/state"] = {
        "execution_id": ID,
        "thread_id": ID,
        "checkpoint_id": "c-1",
        "values": {"letters": ["a"], "nothing": None},
        "not_shown": {"score": "nan is not a JSON number"},
        "next_nodes": ["second"],
        "interrupts": [{"id": "i-1", "value": "which [one]?", "node": "second"}],
        "created_at": NOW,
    }
    shown = wtb("executions", "state", ID)
    assert shown.exit_code == 0, shown.output
    lines = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    assert ["letters", '["a"]'] in lines
    assert ["nothing", "null"] in lines
    assert ["score", "(not shown: nan is not a JSON number)"] in lines
    assert 'i-1: "which [one]?"' in shown.stdout
    document = json.loads(wtb("executions", "state", ID, "--checkpoint", "c-1", "--json").stdout)
    assert document["values"] == {"letters": ["a"], "nothing": None}
    assert stand_in.queries[f"{EXECUTION}/state"] == [{}, {"checkpoint_id": "c-1"}]
