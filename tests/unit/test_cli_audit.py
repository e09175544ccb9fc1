"""What `wtb audit` and `wtb outbox` ask for, and how they show what they get."""

from datetime import UTC, datetime, timedelta

import pytest
import typer
from wtb_command import wtb
from wtb_server import NOW, Json, Served
from wtb_shapes import ID

from wtb_async.cli.arguments import read_moment


def entry(action: str, severity: str, **fields: str) -> Json:
    return {
        "id": 7,
        "at": NOW,
        "severity": severity,
        "action": action,
        "caller": "operator",
        "target_type": "batch_test",
        "target_id": ID,
        **fields,
    }


def test_entries_are_a_table(stand_in: Served) -> None:
    stand_in.lists["audit/events"] = [
        entry("BatchPaused", "info", status_before="running", status_after="paused"),
        entry("BatchFailed", "error", request_id="mine"),
    ]
    result = wtb("audit", "ls")
    assert result.exit_code == 0, result.output
    assert "running -> paused" in result.stdout
    assert "BatchFailed" in result.stdout


def test_every_choice_reaches_the_server(stand_in: Served) -> None:
    stand_in.lists["audit/events"] = []
    given = ["--execution", ID, "--batch", ID, "--caller", "me", "--kind", "stop"]
    given += ["--action", "BatchPaused", "--severity", "error", "--limit", "3"]
    given += ["--since", "2026-01-31T12:00:00Z", "--until", "2026-02-01T00:00:00+01:00"]
    assert wtb("audit", "ls", *given).exit_code == 0
    [query] = stand_in.queries["audit/events"]
    since, until = (datetime.fromisoformat(query.pop(name)) for name in ("since", "until"))
    assert since == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert until == datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert query == {
        **{"execution": ID, "batch": ID, "caller": "me", "kind": "stop"},
        **{"action": "BatchPaused", "severity": "error", "limit": "3"},
    }


@pytest.mark.parametrize(
    "arguments", [["--since", "soon"], ["--until", "5y"], ["--kind", "x"], ["--severity", "x"]]
)
def test_a_wrong_choice_is_a_usage_error(stand_in: Served, arguments: list[str]) -> None:
    assert wtb("audit", "ls", *arguments).exit_code == 2
    assert stand_in.queries == {}


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_time_can_be_told_by_how_long_ago_it_was(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC)
    assert before <= read_moment(text) + ago <= datetime.now(UTC)


def test_a_day_begins_where_its_reader_is() -> None:
    assert read_moment("2026-01-31") == datetime(2026, 1, 31).astimezone()


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "99999999d", "0001-01-01"])
def test_what_is_no_time_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_moment(text)


def test_the_outbox_is_counted_by_type(stand_in: Served) -> None:
    counts = {"open": 3, "claimed": 1, "sent_per_minute": 40, "dead_letters": 2}
    stand_in.objects["outbox/stats"] = {
        **counts,
        "oldest_open_ms": 1500.0,
        "by_type": {"ExecutionCreated": counts},
    }
    result = wtb("outbox", "stats")
    assert result.exit_code == 0, result.output
    assert "1.5 s old" in result.stdout
    [of_type, of_all] = [line.split() for line in result.stdout.splitlines()[-2:]]
    assert of_type == ["ExecutionCreated", "3", "1", "40", "2"]
    assert of_all == ["all", "3", "1", "40", "2"]


def test_dead_letters_say_why(stand_in: Served) -> None:
    dead = {
        **{"id": 7, "type": "BatchPaused", "target_type": "batch_test", "target_id": ID},
        **{"sequence": 3, "data": {}, "attempts": 10, "last_error": "no [luck]"},
        **{"created_at": NOW, "dead_at": NOW},
    }
    stand_in.lists["outbox/dead-letters"] = [dead]
    shown = wtb("outbox", "dead-letters").stdout
    assert "BatchPaused" in shown
    assert "no [luck]" in " ".join(shown.split())
