"""Progress is a live bar on a terminal and plain lines elsewhere."""

import os
import pty
import subprocess
import sys

import pytest

from wtb_async.cli.progress import batch_progress
from wtb_async.sdk.batch_models import BatchCounts, BatchProgress

_SHOW = """
from wtb_async.cli.progress import batch_progress
from wtb_async.sdk.batch_models import BatchCounts, BatchProgress
with batch_progress("retrievers") as show:
    show(BatchProgress(counts=BatchCounts(total=40, completed=40)))
"""


def test_elsewhere_a_line_is_written_for_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with batch_progress("retrievers") as show:
        for done in range(101):
            show(BatchProgress(counts=BatchCounts(total=100, completed=done), scored=done))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 11
    assert lines[0] == "retrievers: 0 of 100 done, 0 running, 0 failed, 0 scored"
    assert lines[-1] == "retrievers: 100 of 100 done, 0 running, 0 failed, 100 scored"


def test_on_a_terminal_a_bar_is_drawn() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    command = [sys.executable, "-c", _SHOW]
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        subprocess.run(command, stderr=theirs, env=environment, check=True)
        drawn = terminal.read(10_000).decode()
        os.close(theirs)
    assert "━" in drawn
    assert "40/40" in drawn
