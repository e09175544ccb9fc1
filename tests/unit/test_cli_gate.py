"""`wtb batch gate` and the gate of `wtb batch run`: what they ask for, and how they end."""

import json
from pathlib import Path

import pytest
from wtb_command import wtb
from wtb_server import Json, Served
from wtb_shapes import BATCH, ID, batch

OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"
GATE = f"{BATCH}/gate"
NOTHING_COMPARED: Json = {"baseline": {}, "evaluators": [], "ranking": []}


def report(outcome: str) -> Json:
    found = {
        "condition": "hit < 0.8",
        "combination": {"retriever": "base"},
        "outcome": outcome,
        "message": "hit is 0.75 (20 cases), 0.05 below 0.8",
    }
    return {"batch_test_id": ID, "passed": outcome != "failed", "findings": [found]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "batch.json"
    path.write_text("{}")
    return path


@pytest.fixture
def judged(stand_in: Served) -> Served:
    """A server on which a batch test completes and fails its gate."""
    stand_in.created["batch-tests"] = batch("pending")
    stand_in.objects[BATCH] = batch("completed", completed=4)
    stand_in.objects[GATE] = report("failed")
    stand_in.objects[f"{BATCH}/comparison"] = NOTHING_COMPARED
    stand_in.streams[f"{BATCH}/events"] = []
    stand_in.lists[f"{BATCH}/results"] = []
    return stand_in


@pytest.mark.parametrize(("outcome", "code"), [("failed", 1), ("doubtful", 0), ("passed", 0)])
def test_the_exit_code_tells_whether_the_gate_is_passed(
    judged: Served, file: Path, outcome: str, code: int
) -> None:
    judged.objects[GATE] = report(outcome)
    run = wtb("batch", "run", str(file), "--wait", "--fail-if", "hit < 0.8")
    gate = wtb("batch", "gate", ID, "--fail-if", "hit < 0.8")
    line = (
        f"{outcome:<8}  fail if hit < 0.8: retriever=base: hit is 0.75 (20 cases), 0.05 below 0.8"
    )
    for result in (run, gate):
        assert result.exit_code == code, result.output
        assert line in result.stdout
        assert result.stdout.endswith(f"gate: {'failed' if code else 'passed'}\n")


def test_a_gate_is_asked_with_all_of_its_conditions(judged: Served) -> None:
    conditions = ["--fail-if", "hit < 0.8", "--fail-if-worse-than", "retriever=base"]
    wtb("batch", "gate", ID, *conditions, "--on", "hit", "--strict")
    assert judged.queries[GATE] == [
        {"fail_if": "hit < 0.8", "worse_than": "retriever=base", "score": "hit", "strict": "true"}
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--wait", "--fail-if", "hit"],
        ["--wait", "--fail-if", "hit < 0.8", "--fail-if", "hit << 1"],
        ["--wait", "--fail-if-worse-than", "main"],
        ["--fail-if", "hit < 0.8"],
        ["--junit", "junit.xml"],
    ],
)
def test_a_gate_that_cannot_be_read_ends_with_2_before_anything_is_submitted(
    judged: Served, file: Path, arguments: list[str]
) -> None:
    assert wtb("batch", "run", str(file), *arguments).exit_code == 2
    assert judged.posted == []


def test_a_rival_that_is_not_there_costs_no_run(judged: Served, file: Path) -> None:
    arguments = ["--wait", "--fail-if-worse-than"]
    assert wtb("batch", "run", str(file), *arguments, OTHER).exit_code == 1
    assert judged.posted == []
    judged.objects[f"batch-tests/{OTHER}"] = batch("completed")
    wtb("batch", "run", str(file), *arguments, OTHER)
    assert len(judged.posted) == 1


def test_a_report_that_cannot_be_written_costs_no_run(judged: Served, file: Path) -> None:
    unwritable = str(file / "junit.xml")
    result = wtb("batch", "run", str(file), "--wait", "--junit", unwritable)
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert judged.posted == []


@pytest.mark.usefixtures("judged")
def test_reports_are_written_when_the_gate_fails(file: Path) -> None:
    junit, markdown = file.with_name("junit.xml"), file.with_name("summary.md")
    reports = ["--junit", str(junit), "--markdown", str(markdown)]
    result = wtb("batch", "run", str(file), "--wait", "--fail-if", "hit < 0.8", *reports)
    assert result.exit_code == 1
    assert '<failure message="hit is 0.75' in junit.read_text()
    assert "❌ retrievers: failed" in markdown.read_text()


@pytest.mark.usefixtures("judged")
def test_programs_get_the_batch_test_with_its_gate(file: Path) -> None:
    run = wtb("batch", "run", str(file), "--wait", "--fail-if", "hit < 0.8", "--json")
    assert (run.exit_code, json.loads(run.stdout)["id"]) == (1, ID)
    [finding] = json.loads(run.stdout)["gate"]["findings"]
    assert finding["condition"] == "hit < 0.8"
    gate = json.loads(wtb("batch", "gate", ID, "--json").stdout)
    assert gate == json.loads(run.stdout)["gate"]


def test_compare_says_what_it_compares_with(judged: Served) -> None:
    judged.objects[f"{BATCH}/comparison"] = NOTHING_COMPARED | {
        "against": {
            "batch_test_id": OTHER,
            "name": "main",
            "baseline": {"finder": "base"},
            "pairing": "baselines",
        }
    }
    text = wtb("batch", "compare", ID, "--against", OTHER).stdout
    assert f"batch test 'main' ({OTHER})" in text
    assert "baseline to baseline (finder=base)" in text
    assert judged.queries[f"{BATCH}/comparison"] == [{"against": OTHER}]
    document = json.loads(wtb("batch", "compare", ID, "--against", OTHER, "--json").stdout)
    assert document["against"]["batch_test_id"] == OTHER
