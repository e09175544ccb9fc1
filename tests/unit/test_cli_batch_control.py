"""The commands on whole batch tests: what they send, what they print, and how they end."""

import json

import pytest
from wtb_command import wtb
from wtb_server import Served, event, settles_with
from wtb_shapes import BATCH, ID, batch

VERBS = {"pause": "pause", "resume": "resume", "stop": "stop", "retry": "retry-failed"}


@pytest.mark.parametrize(("verb", "path"), VERBS.items())
def test_each_verb_sends_its_command_and_prints_the_batch(
    stand_in: Served, verb: str, path: str
) -> None:
    answered = {**batch("running", running=2), "becomes": "paused"}
    stand_in.created[f"{BATCH}/{path}"] = answered
    shown = wtb("batch", verb, ID)
    assert shown.exit_code == 0, shown.output
    lines = [line.split(maxsplit=1) for line in shown.stdout.splitlines()]
    assert ["status", "running, soon paused"] in lines
    document = wtb("batch", verb, ID, "--reason", "lunch", "--json")
    assert json.loads(document.stdout)["becomes"] == "paused"
    assert stand_in.posted == [
        (f"{BATCH}/{path}", {"reason": reason}, None) for reason in (None, "lunch")
    ]


@pytest.mark.parametrize(
    ("verb", "rests_with", "end", "code"),
    [
        ("pause", "BatchPaused", "paused", 0),
        ("pause", "BatchCompleted", "completed", 1),
        ("stop", "BatchCancelled", "cancelled", 0),
        ("stop", "BatchCompleted", "completed", 1),
        ("resume", "BatchCompleted", "completed", 0),
        ("resume", "BatchFailed", "failed", 1),
        ("retry", "BatchCompleted", "completed", 0),
        ("retry", "BatchCancelled", "cancelled", 1),
    ],
)
def test_waiting_ends_with_0_once_it_is_as_was_wanted_and_with_1_otherwise(
    stand_in: Served, verb: str, rests_with: str, end: str, code: int
) -> None:
    stand_in.created[f"{BATCH}/{VERBS[verb]}"] = batch("running")
    stand_in.objects[BATCH] = batch("running")
    stand_in.streams[f"{BATCH}/events"] = [event(9, rests_with)]
    settles_with(stand_in, rests_with, BATCH, batch(end))
    result = wtb("batch", verb, ID, "--wait", "--json")
    assert result.exit_code == code, result.output
    assert json.loads(result.stdout)["status"] == end


@pytest.mark.usefixtures("stand_in")
def test_a_refused_command_ends_with_1_and_says_why() -> None:
    result = wtb("batch", "stop", ID)
    assert result.exit_code == 1
    assert "it cannot be accepted" in result.stderr


def test_a_batch_that_was_given_up_says_why(stand_in: Served) -> None:
    error = {"type": "TooManyFailures", "message": "limits.max_failures is 1, and [more] failed"}
    stand_in.objects[BATCH] = {**batch("failed", failed=2, cancelled=2), "error": error}
    shown = wtb("batch", "show", ID).stdout
    assert "limits.max_failures is 1, and [more] failed" in shown
    assert "4 of 4 done, 2 failed, 0 running, 0 pending, 2 cancelled" in shown
