"""`wtb demo`, as the README's first command runs it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def processes_of(data_dir: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(data_dir) in part for part in process.info["cmdline"] or ())
    ]


def test_the_demo_prints_the_comparison_and_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wtb_async.cli.main", "demo", "--data-dir", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "540 of 540 done, 0 running, 0 failed" in done.stderr
    for key in ("hit_at_1", "hit_at_3", "reciprocal_rank", "wtb.latency"):
        assert f"• {key}: " in done.stdout
    assert "(baseline)" in done.stdout
    assert "/docs" in done.stdout
    assert "Flower" in done.stdout
    assert processes_of(tmp_path) == []
