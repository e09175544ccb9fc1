"""Batch test files: the body of a batch test, with its test cases perhaps in a file beside it."""

import json
from pathlib import Path

from wtb_async.domain.errors import WtbError
from wtb_async.domain.json import JsonObject, JsonValue

_CASES_FILE = "test_cases_file"


class BatchFileInvalid(WtbError):
    """A batch test file cannot be used as it is."""

    code = "batch_file_invalid"


def read_batch_file(path: Path) -> JsonObject:
    """Read the body of a batch test.

    `test_cases_file` names a JSONL file, relative to this one, that becomes `test_cases`. The
    server checks everything else.
    """
    body = _parse(_read(path), str(path))
    if not isinstance(body, dict):
        raise BatchFileInvalid(f"{path}: a batch test is a JSON object")
    cases_file = body.pop(_CASES_FILE, None)
    if cases_file is None:
        return body
    if not isinstance(cases_file, str):
        raise BatchFileInvalid(f"{path}: {_CASES_FILE} is the path of a JSONL file")
    if "test_cases" in body:
        raise BatchFileInvalid(f"{path}: give test_cases or {_CASES_FILE}, not both")
    return {**body, "test_cases": _read_lines(path.parent / cases_file)}


def _read_lines(path: Path) -> list[JsonValue]:
    return [
        _parse(line, f"{path}, line {number}")
        for number, line in enumerate(_read(path).splitlines(), start=1)
        if line.strip()
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BatchFileInvalid(f"cannot read {path}: {error}") from error


def _parse(text: str, place: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except json.JSONDecodeError as error:
        raise BatchFileInvalid(f"{place}: this is not JSON: {error}") from error
    return value
