"""`wtb batch score`: what it asks for, and what it shows of pairs and columns."""

import json
from dataclasses import asdict, replace

import pytest
from wtb_command import wtb
from wtb_server import Served, event
from wtb_shapes import BATCH, ID, batch

from wtb_async.domain.comparing import compare
from wtb_async.domain.comparison import ScoredRow, Summary

LOUD = {"tone": "loud"}


def rows() -> list[ScoredRow]:
    """Thirty cases, of which one combination wins most."""
    return [
        ScoredRow(
            combination={"tone": variant},
            test_case_id=str(case),
            repetition=0,
            status="completed",
            scores={"hit": True},
            duration_ms=1.0,
            preferences={"nicer": float(case > 3)} if variant == "loud" else {},
        )
        for variant in ("base", "loud")
        for case in range(30)
    ]


def test_evaluators_of_every_kind_are_asked_for(stand_in: Served) -> None:
    stand_in.created[f"{BATCH}/score"] = batch("running")
    entry = {"use": "wtb.regex", "with": {"pattern": "x"}}
    arguments = ["--evaluator", "wtb.tokens", "--evaluator", json.dumps(entry)]
    result = wtb(
        "batch", "score", ID, *arguments, "--pairwise", "a:b", "--summary", "c:d", "--replace"
    )
    assert result.exit_code == 0, result.output
    assert stand_in.posted[0][1] == {
        "evaluators": ["wtb.tokens", entry],
        "pairwise_evaluators": ["a:b"],
        "summary_evaluators": ["c:d"],
        "mode": "replace",
    }


def test_what_failed_is_asked_for_again(stand_in: Served) -> None:
    stand_in.created[f"{BATCH}/score"] = batch("running")
    assert wtb("batch", "score", ID, "--retry").exit_code == 0
    assert stand_in.posted[0][1]["mode"] == "retry"


@pytest.mark.parametrize(
    "arguments", [[], ["--replace"], ["--evaluator", "{"], ["--evaluator", "a:b", "--retry"]]
)
def test_what_names_no_evaluator_ends_with_2(stand_in: Served, arguments: list[str]) -> None:
    assert wtb("batch", "score", ID, *arguments).exit_code == 2
    assert stand_in.posted == []


def test_waiting_ends_with_preferences_and_summaries(stand_in: Served) -> None:
    summary = Summary(
        combination=LOUD,
        key="f1",
        score=0.75,
        comment="[of 30]",
        error=None,
        higher_is_better=True,
    )
    made = replace(compare(rows(), baseline={"tone": "base"}), summaries=(summary,))
    cost = {"input_tokens": 1000, "output_tokens": 234, "total_tokens": 1234, "money": 0.5}
    stand_in.created[f"{BATCH}/score"] = batch("running")
    stand_in.objects[BATCH] = {**batch("completed", completed=60), "cost": cost}
    stand_in.objects[f"{BATCH}/comparison"] = json.loads(json.dumps(asdict(made)))
    stand_in.streams[f"{BATCH}/events"] = [event(3, "BatchCompleted")]
    result = wtb("batch", "score", ID, "--evaluator", "wtb.tokens", "--wait")
    assert result.exit_code == 0, result.output
    assert "1,234 tokens (234 of them written), which cost 0.5" in result.stdout
    assert "nicer (preferred to the baseline)" in result.stdout
    assert "nicer: tone=loud is preferred to the baseline, it wins 26 cases" in result.stdout
    assert "[of 30]" in result.stdout
