"""Arguments and batch files say what is wrong with them."""

import json
from pathlib import Path

import pytest
import typer

from wtb_async.cli.arguments import read_choices, read_json_argument
from wtb_async.cli.batch_file import BatchFileInvalid, read_batch_file


def test_json_is_read_in_place_or_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text('{"question": "why?"}')
    assert read_json_argument('{"question": "why?"}') == {"question": "why?"}
    assert read_json_argument(f"@{tmp_path}/input.json") == {"question": "why?"}


@pytest.mark.parametrize("text", ["{", "@nowhere.json", ""])
def test_what_is_not_json_is_a_usage_error(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_json_argument(text)


def test_choices_are_pairs_of_node_and_variant() -> None:
    assert read_choices(["retriever=bm25", "reranker=a=b"]) == {
        "retriever": "bm25",
        "reranker": "a=b",
    }


@pytest.mark.parametrize("pairs", [["retriever"], ["=bm25"], ["retriever="], ["a=b", "a=c"]])
def test_other_choices_are_a_usage_error(pairs: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        read_choices(pairs)


def test_test_cases_beside_the_batch_file_become_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text('{"id": "q1", "input": {}}\n\n{"id": "q2"}\n')
    file = tmp_path / "batch.json"
    file.write_text(json.dumps({"workflow": "rag", "test_cases_file": "cases.jsonl"}))
    assert read_batch_file(file) == {
        "workflow": "rag",
        "test_cases": [{"id": "q1", "input": {}}, {"id": "q2"}],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is not JSON"),
        ("[]", "is a JSON object"),
        ('{"test_cases_file": 3}', "path of a JSONL file"),
        ('{"test_cases_file": "a", "test_cases": []}', "not both"),
        ('{"test_cases_file": "missing.jsonl"}', "cannot read"),
        ('{"test_cases_file": "broken.jsonl"}', "line 2"),
    ],
)
def test_a_batch_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "broken.jsonl").write_text('{"id": "q1"}\n{')
    file = tmp_path / "batch.json"
    file.write_text(text)
    with pytest.raises(BatchFileInvalid, match=said):
        read_batch_file(file)
