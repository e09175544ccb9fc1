"""Gates and the pytest plugin as continuous integration would use them, on a real stack."""

import json
from pathlib import Path

import pytest
from wtb_command import wtb

from wtb_async.infrastructure.embedded.record import StackRecord

pytest_plugins = ["pytester"]

CASES = [
    {"id": f"q{n}", "input": {"do": "", "letters": []}, "reference": {"letters": ["a", "B!"]}}
    for n in range(12)
]
BODY = {
    "workflow": "letters",
    "name": "gated",
    "variant_matrix": {"second": ["base", "loud"]},
    "test_cases": CASES,
    "evaluators": ["wtb.exact_match"],
}
MARKED = """
import pytest

@pytest.mark.wtb("letters", dataset="gated", variants={"second": "loud"},
                 evaluators=["wtb.exact_match"])
def test_letters(wtb_result):
    assert wtb_result.error is None
    assert wtb_result.scores == {"wtb.exact_match": True}
"""


@pytest.fixture
def server(stack: StackRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack is the server that commands and the plugin talk to."""
    monkeypatch.setenv("WTB_URL", stack.addresses.api_url)
    monkeypatch.setenv("WTB_API_KEY", stack.addresses.api_key)


@pytest.mark.usefixtures("server")
def test_a_batch_test_passes_or_fails_its_gate_and_later_ones(tmp_path: Path) -> None:
    file, junit, markdown = (tmp_path / name for name in ("batch.json", "junit.xml", "gate.md"))
    file.write_text(json.dumps(BODY))
    run = wtb(
        *("batch", "run", str(file), "--wait", "--json"),
        *("--fail-if", "wtb.exact_match < 0.5", "--fail-if", "failures > 0"),
        *("--fail-if-worse-than", "second=base", "--on", "wtb.exact_match"),
        *("--junit", str(junit), "--markdown", str(markdown)),
    )
    assert run.exit_code == 1, run.output
    batch = json.loads(run.stdout)
    assert [each["outcome"] for each in batch["gate"]["findings"]] == [
        *("passed", "passed", "failed"),
        *("passed", "passed", "passed"),
    ]
    assert 'failures="1"' in junit.read_text()
    assert "second=loud is better than the baseline by 1.00" in markdown.read_text()

    def gate(*conditions: str) -> int:
        return wtb("batch", "gate", batch["id"], *conditions).exit_code

    assert gate("--fail-if", "[second=loud] wtb.exact_match < 0.9") == 0
    assert gate("--fail-if", "p95(latency) > 0") == 1
    assert gate("--fail-if-worse-than", "second=loud") == 1
    assert gate("--fail-if", "no_such_score < 0.9") == 1
    assert gate("--fail-if", "0.9") == 2

    again = wtb("batch", "run", str(file), "--wait", "--fail-if-worse-than", batch["id"])
    assert again.exit_code == 0, again.output
    compared = wtb("batch", "compare", batch["id"], "--against", batch["id"])
    assert "no difference to batch test 'gated' shown" in compared.stdout


@pytest.mark.usefixtures("server")
def test_a_dataset_becomes_tests_of_pytest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = tmp_path / "cases.jsonl"
    wrong = {"id": "wrong", "input": {"do": "", "letters": []}, "reference": {"letters": []}}
    rows.write_text("\n".join(map(json.dumps, [*CASES, wrong])))
    assert wtb("datasets", "create", "gated").exit_code == 0
    assert wtb("datasets", "import", "gated", str(rows)).exit_code == 0
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(MARKED)
    plugin = ("-p", "wtb_async.pytest_plugin")
    result = pytester.runpytest(*plugin)
    result.assert_outcomes(passed=12, failed=1)
    result.stdout.fnmatch_lines(["execution * of test case 'wrong' is completed"])
    pytester.runpytest(*plugin, "-k", "q3 or q7").assert_outcomes(passed=2, deselected=11)
    [part, whole] = json.loads(wtb("batch", "ls", "--limit", "2", "--json").stdout)
    assert (whole["counts"]["total"], whole["dataset_version"]) == (13, 2)
    assert (part["counts"]["total"], part["dataset_id"]) == (2, None)
