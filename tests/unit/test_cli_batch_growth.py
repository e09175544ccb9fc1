"""`wtb batch extend` sends what was asked for, and ends like `wtb batch run`."""

import json
from pathlib import Path

import pytest
from wtb_command import wtb
from wtb_server import Served, event
from wtb_shapes import BATCH, EXECUTION, ID, batch, execution

from wtb_async.sdk.client import WTBClient


def test_a_file_and_options_are_sent_together(stand_in: Served, tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text('{"id": "q2", "input": {}}\n')
    file = tmp_path / "more.json"
    file.write_text('{"test_cases_file": "more.jsonl", "exclude": [{"a": "b"}], "repetitions": 2}')
    stand_in.created[f"{BATCH}/extend"] = batch("running", completed=4)
    result = wtb("batch", "extend", ID, str(file), "--repetitions", "3", "--limit", "7")
    assert result.exit_code == 0, result.output
    assert stand_in.posted[0][1] == {
        "test_cases": [{"id": "q2", "input": {}}],
        "exclude": [{"a": "b"}],
        "repetitions": 3,
        "limit": 7,
    }
    assert f"wtb batch show {ID}" in result.stderr
    assert "4 of 4 done" in result.stdout


def test_options_alone_will_do_and_waiting_ends_as_the_batch_does(stand_in: Served) -> None:
    stand_in.created[f"{BATCH}/extend"] = batch("running")
    stand_in.objects[BATCH] = batch("failed", failed=4)
    stand_in.streams[f"{BATCH}/events"] = []
    result = wtb("batch", "extend", ID, "--dataset-version", "4", "--wait", "--json")
    assert result.exit_code == 1
    assert stand_in.posted[0][1] == {"dataset_version": 4}
    assert json.loads(result.stdout)["counts"]["failed"] == 4


async def test_an_end_before_a_growth_is_not_the_last_event(stand_in: Served) -> None:
    stand_in.objects[BATCH] = {**batch("completed"), "version": 5}
    kinds = ["BatchCreated", "BatchStarted", "BatchCompleted", "BatchExtended", "BatchCompleted"]
    stand_in.streams[f"{BATCH}/events"] = [event(n, kind) for n, kind in enumerate(kinds, start=1)]
    async with WTBClient(stand_in.url, api_key="wtb-test-key") as client:
        assert [each.type async for each in client.batch_tests.events(ID)] == kinds


@pytest.mark.parametrize(
    ("graph", "shown"),
    [(None, "second=loud"), ("brief", "__workflow__=brief, second=loud")],
)
def test_an_execution_shows_its_graph_beside_its_variants(
    stand_in: Served, graph: str | None, shown: str
) -> None:
    found = execution("completed", variants={"second": "loud"}, workflow_variant=graph)
    stand_in.objects[EXECUTION] = found
    assert f"  {shown}\n" in wtb("executions", "show", ID).stdout
