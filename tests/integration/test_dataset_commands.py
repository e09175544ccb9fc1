"""`wtb datasets` against a real API process."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from called_commands import Wtb, run_wtb

from wtb_async.application.ids import new_id

if TYPE_CHECKING:
    from api_fixtures import ServedApi

ROWS = '{"id": "a", "inputs": {"q": 1}}\n{"id": "b", "inputs": {"q": 2}, "outputs": {"r": 3}}\n'


@pytest.fixture
def wtb(api: "ServedApi") -> Wtb:
    """`wtb datasets`, as a caller of the API."""
    return partial(run_wtb, api, "datasets")


@pytest.fixture
def name() -> str:
    return f"told {new_id()}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two examples of LangSmith's."""
    path = tmp_path / "rows.jsonl"
    path.write_text(ROWS)
    return path


async def test_a_dataset_goes_in_and_out_as_files(wtb: Wtb, name: str, file: Path) -> None:
    assert (await wtb("create", name, "--description", "why")).code == 0
    told = await wtb("import", name, file)
    assert told.out == "version 2: 2 added, 0 changed, 0 removed; 2 cases\n"
    for suffix in ("csv", "json"):
        out = file.with_suffix(f".{suffix}")
        assert (await wtb("export", name, out)).code == 0
        again = await wtb("import", name, out, "--mode", "replace", "--json")
        assert json.loads(again.out)["version"] == 2
    printed = await wtb("export", name)
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["input"] for line in lines] == [{"q": 1}, {"q": 2}]


async def test_lists_and_one_dataset_are_shown(wtb: Wtb, name: str) -> None:
    made = json.loads((await wtb("create", name, "--json")).out)
    assert made in json.loads((await wtb("ls", "--json")).out)
    assert json.loads((await wtb("show", name, "--json")).out) == made
    shown = (await wtb("show", name)).out
    assert name in shown
    assert "operator" in shown


async def test_bad_rows_are_told_by_line(wtb: Wtb, name: str, file: Path) -> None:
    rows = '{"id": "a", "input": {}}\n{"id": "b"}\n'
    await asyncio.to_thread(file.write_text, rows)
    await wtb("create", name)
    refused = await wtb("import", name, file)
    assert refused.code == 1
    assert "line.2.input: give an input" in refused.err


async def test_a_file_that_does_not_say_what_it_is_needs_a_format(
    wtb: Wtb, name: str, file: Path
) -> None:
    unnamed = await asyncio.to_thread(file.rename, file.with_suffix(""))
    await wtb("create", name)
    assert (await wtb("import", name, unnamed)).code == 2
    assert (await wtb("import", name, unnamed, "--format", "jsonl")).code == 0


async def test_a_removed_dataset_is_gone_and_leaves_no_file(
    wtb: Wtb, name: str, tmp_path: Path
) -> None:
    await wtb("create", name)
    assert (await wtb("rm", name)).code == 0
    assert (await wtb("show", name)).code == 1
    out = tmp_path / "out.csv"
    assert (await wtb("export", name, out)).code == 1
    assert not out.exists()
