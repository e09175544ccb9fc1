"""Workspaces of hard links: nothing that a node does reaches a blob or another workspace."""

import os
import subprocess
import sys
from pathlib import Path

TRIALS = Path(__file__).parents[1] / "support/linked_workspace_trials.py"


def test_no_write_to_a_linked_file_reaches_its_blob_or_a_sibling() -> None:
    path = os.pathsep.join(sys.path)
    subprocess.run(
        [sys.executable, "-W", "error", str(TRIALS), "60"],
        env=os.environ | {"PYTHONPATH": path},
        check=True,
        timeout=300,
    )
