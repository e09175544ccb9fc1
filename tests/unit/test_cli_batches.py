"""The verbs on batch tests: what they submit and print, and how they end."""

import json
from dataclasses import asdict
from pathlib import Path

from wtb_command import wtb
from wtb_server import Json, Served
from wtb_shapes import BATCH, ID, batch

from wtb_async.domain.comparing import compare
from wtb_async.domain.comparison import ScoredRow


def rows() -> list[ScoredRow]:
    return [
        ScoredRow(
            combination={"retriever": variant},
            test_case_id=str(case),
            repetition=0,
            status="completed",
            scores={"hit": case % 2 == 0 or variant == "tfidf"},
            duration_ms=12.5,
        )
        for variant in ("base", "tfidf")
        for case in range(30)
    ]


def comparison() -> Json:
    return asdict(compare(rows(), baseline={"retriever": "base"}))


def test_a_batch_is_submitted_with_its_test_cases(stand_in: Served, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text('{"id": "q1", "input": {}}\n')
    file = tmp_path / "batch.json"
    file.write_text('{"workflow": "rag", "test_cases_file": "cases.jsonl"}')
    stand_in.created["batch-tests"] = batch("pending")
    result = wtb("batch", "run", str(file))
    assert result.exit_code == 0, result.output
    assert stand_in.posted[0][1] == {"workflow": "rag", "test_cases": [{"id": "q1", "input": {}}]}
    assert f"wtb batch show {ID}" in result.stderr


def test_batch_run_and_wait_ends_with_the_verdict(stand_in: Served, tmp_path: Path) -> None:
    file = tmp_path / "batch.json"
    file.write_text("{}")
    stand_in.created["batch-tests"] = batch("pending")
    stand_in.objects[BATCH] = batch("completed", completed=4)
    stand_in.objects[f"{BATCH}/comparison"] = comparison()
    stand_in.streams[f"{BATCH}/events"] = []
    result = wtb("batch", "run", str(file), "--wait")
    assert result.exit_code == 0, result.output
    assert "retriever=tfidf is better than the baseline" in result.stdout
    assert "4 of 4 done" in result.stderr


def test_batch_run_and_wait_ends_with_1_when_the_batch_fails(
    stand_in: Served, tmp_path: Path
) -> None:
    file = tmp_path / "batch.json"
    file.write_text("{}")
    stand_in.created["batch-tests"] = batch("pending")
    stand_in.objects[BATCH] = batch("failed", failed=4)
    stand_in.streams[f"{BATCH}/events"] = []
    result = wtb("batch", "run", str(file), "--wait", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["counts"]["failed"] == 4


def test_batches_are_listed_and_shown(stand_in: Served) -> None:
    stand_in.lists["batch-tests"] = [batch("running", completed=1, failed=1)]
    stand_in.objects[BATCH] = batch("running", completed=1, failed=1)
    assert "2 of 4" in wtb("batch", "ls").stdout
    assert "2 of 4 done, 1 failed" in wtb("batch", "show", ID).stdout
    assert json.loads(wtb("batch", "ls", "--json").stdout)[0]["id"] == ID


def test_results_have_a_column_per_score(stand_in: Served) -> None:
    row: Json = {
        "execution_id": ID,
        "combination": {"retriever": "tfidf"},
        "test_case_id": "q1",
        "repetition": 0,
        "status": "completed",
        "scores": {"hit": True, "rank": 0.5},
        "duration_ms": 3.25,
        "nodes": [{"node": "index", "shared": True, "count": 1, "duration_ms": 2.5}],
    }
    failed = {**row, "status": "failed", "scores": {}, "error": {"type": "E", "message": "broke"}}
    stand_in.lists[f"{BATCH}/results"] = [row, failed]
    text = wtb("batch", "results", ID).stdout
    assert "hit" in text
    assert "true" in text
    assert "broke" in text
    [first, _] = json.loads(wtb("batch", "results", ID, "--json").stdout)
    assert (first["scores"], first["nodes"]) == (row["scores"], row["nodes"])


def test_compare_ranks_and_tells_the_verdict(stand_in: Served) -> None:
    stand_in.objects[f"{BATCH}/comparison"] = comparison()
    text = wtb("batch", "compare", ID).stdout
    best, baseline = text.splitlines()[4:6]
    assert best.split()[:2] == ["1", "tfidf"]
    assert baseline.split()[:2] == ["2", "base"]
    assert "+0.500" in best
    assert "(baseline)" in baseline
    assert "hit: retriever=tfidf is better than the baseline by 0.50 (" in text
    document = json.loads(wtb("batch", "compare", ID, "--json").stdout)
    assert document == json.loads(json.dumps(comparison()))
