"""`wtb integrity`: what is sent, what people read, and what the shell learns."""

import json

import pytest
from wtb_command import wtb
from wtb_server import NOW, Json, Served
from wtb_shapes import ID

CHECK = "integrity/check"
REPORT = f"{CHECK}/{ID}"


def report(status: str = "completed", **changes: object) -> Json:
    return {
        "id": ID,
        "status": status,
        "deep": False,
        "repair": [],
        "dry_run": True,
        "checks_done": 3,
        "checks_total": 21,
        "counts": {"info": 0, "warning": 0, "error": 0, "critical": 0},
        "results": [],
        "error": None,
        "created_by": "somebody",
        "created_at": NOW,
        "started_at": NOW,
        "finished_at": None,
        **changes,
    }


def result(severity: str, found: int = 1, repaired: int = 0) -> Json:
    return {
        "check": "lost_blobs",
        "severity": severity,
        "title": "a content that is not in the store",
        "found": found,
        "repaired": repaired,
        "is_repairable": True,
        "findings": [{"subject": "abc", "detail": "missing, 3 bytes"}],
    }


def test_a_check_is_accepted_and_not_waited_for(stand_in: Served) -> None:
    stand_in.created[CHECK] = report("pending")
    answer = wtb("integrity", "check", "--deep")
    assert (answer.exit_code, "pending" in answer.stdout) == (0, True), answer.output
    assert stand_in.posted[0][1] == {"deep": True, "repair": [], "dry_run": True}


def test_who_waits_sees_the_complete_report(stand_in: Served) -> None:
    stand_in.created[CHECK] = report("pending")
    stand_in.objects[REPORT] = report()
    answer = wtb("integrity", "check", "--wait", "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["status"] == "completed"


@pytest.mark.parametrize(
    ("found", "exit_code"),
    [
        (result("info"), 0),
        (result("warning"), 0),
        (result("error"), 1),
        (result("critical"), 1),
        (result("critical", found=2, repaired=2), 0),
        (result("critical", found=2, repaired=1), 1),
    ],
)
def test_the_shell_learns_of_errors_that_are_left(
    stand_in: Served, found: Json, exit_code: int
) -> None:
    stand_in.objects[CHECK] = report(results=[found])
    answer = wtb("integrity", "show")
    assert answer.exit_code == exit_code, answer.output
    assert "abc  missing, 3 bytes" in answer.stdout


def test_a_report_that_failed_says_why(stand_in: Served) -> None:
    stand_in.objects[REPORT] = report("failed", error={"type": "Boom", "message": "no disk"})
    answer = wtb("integrity", "show", ID)
    assert (answer.exit_code, "no disk" in answer.stdout) == (1, True)


@pytest.mark.parametrize("yes", [True, False])
def test_a_repair_is_a_dry_run_unless_somebody_says_yes(stand_in: Served, yes: bool) -> None:
    stand_in.created[CHECK] = report("pending")
    wtb("integrity", "repair", "orphan_threads", "lost_blobs", *(["--yes"] if yes else []))
    assert stand_in.posted[0][1] == {
        "deep": False,
        "repair": ["orphan_threads", "lost_blobs"],
        "dry_run": not yes,
    }
