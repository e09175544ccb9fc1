"""`wtb parity` on the real stack: Ray's runners and this process come to the same."""

import json
from pathlib import Path

import pytest
from arranging import PROJECTS
from wtb_command import wtb

from wtb_async.infrastructure.embedded.record import StackRecord

BATCH = {
    "workflow": "letters",
    "variant_matrix": {"second": ["base", "loud"]},
    "test_cases": [
        {"id": "well", "input": {}, "reference": {"letters": ["a", "b"]}},
        {"id": "badly", "input": {"do": "fail"}},
    ],
    "evaluators": ["wtb.exact_match"],
}


@pytest.fixture
def batch_file(stack: StackRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A batch test, and an environment in which commands find the stack."""
    monkeypatch.setenv("WTB_URL", stack.addresses.api_url)
    monkeypatch.setenv("WTB_API_KEY", stack.addresses.api_key)
    file = tmp_path / "batch.json"
    file.write_text(json.dumps(BATCH))
    return file


def parity(file: Path, *options: str) -> tuple[int, str]:
    project = str(PROJECTS / "langgraph.json")
    data_dir = str(file.parent / "data")
    result = wtb("parity", str(file), "--project", project, "--data-dir", data_dir, *options)
    return result.exit_code, result.stdout


def test_a_batch_comes_out_the_same_on_both_executors(batch_file: Path) -> None:
    assert parity(batch_file) == (0, "4 executions compared on local and ray: no discrepancy\n")
