"""`wtb up`, `down`, `status` and `doctor` as a user types them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from wtb_async.cli.main import app
from wtb_async.infrastructure.embedded.ports import free_port


def wtb(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_status_without_a_stack_fails_and_says_how_to_start_one(tmp_path: Path) -> None:
    code, output = wtb("status", "--data-dir", str(tmp_path))
    assert code == 1
    assert "`wtb up` starts one" in output


def test_down_without_a_stack_is_done_already(tmp_path: Path) -> None:
    code, output = wtb("down", "--data-dir", str(tmp_path))
    assert code == 0
    assert "No stack runs" in output


def test_doctor_prints_json_and_is_content(tmp_path: Path) -> None:
    code, output = wtb(
        "doctor", "--json", "--data-dir", str(tmp_path), "--port", "0", "--flower-port", "0"
    )
    assert code == 0, output
    findings = json.loads(output)
    assert all(each["is_fine"] and not each["remedy"] for each in findings)


def test_up_names_the_part_that_cannot_start_and_fails(tmp_path: Path) -> None:
    nowhere = f"postgresql://wtb:secret@127.0.0.1:{free_port()}/wtb"
    env = {**os.environ, "WTB_DATABASE_URL": nowhere, "RAY_ADDRESS": "127.0.0.1:1"}
    command = [sys.executable, "-m", "wtb_async.cli.main", "up", "--data-dir", str(tmp_path)]
    result = subprocess.run(
        [*command, "--port", "0", "--flower-port", "0"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "Error: migrations ended while starting" in result.stderr
    assert not (tmp_path / "stack.json").exists()


def test_an_interrupt_while_starting_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wtb_async.cli.main", "up", "--data-dir", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--port", "0", "--flower-port", "0"], stderr=subprocess.PIPE, text=True
    ) as up:
        assert up.stderr is not None
        first = up.stderr.readline()
        up.send_signal(signal.SIGINT)
        rest = up.stderr.read()
    assert "ready after" in first
    assert "everything is stopped again" in rest
    assert up.returncode == 130
    assert not (tmp_path / "stack.json").exists()
