"""What one row means: our own form of a test case, or LangSmith's form of an example."""

import hashlib

import orjson

from wtb_async.domain.dataset import MAX_KEY_LENGTH, BadRow, CaseContent, IncomingCase
from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.storable_json import check_storable

Row = tuple[str, JsonValue | BadRow]
"""Where a row stands, and what was read there."""

FIELDS = ("id", "input", "reference", "metadata")
"""Of a test case, in the order in which they are written."""

LANGSMITH_FIELDS = {"inputs": "input", "outputs": "reference", "reference_outputs": "reference"}
"""LangSmith's names of our fields."""

BOOKKEEPING = frozenset({"dataset_id", "created_at", "modified_at", "source_run_id", "runs"})
"""What LangSmith notes about its examples; it says nothing about the case."""

_ATTACHMENTS = frozenset({"attachments", "attachment_urls"})


def bad_row(place: str, message: str, field: str = "") -> BadRow:
    """A row with one thing wrong."""
    return BadRow((Violation(f"{place}.{field}" if field else place, message),))


def parse_row(place: str, text: bytes | str) -> JsonValue | BadRow:
    """Parse strict JSON."""
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return bad_row(place, f"this is not JSON: {error.msg}, at character {error.colno}")
    return value


def case_of_row(place: str, row: JsonValue, max_depth: int) -> IncomingCase | BadRow:
    """The test case that a row stands for, or everything that is wrong with it."""
    if not isinstance(row, dict):
        return bad_row(place, "a test case is a JSON object")
    fields = _our_fields(row)
    try:
        check_storable(fields, max_depth, place)
    except InvalidInput as error:
        return BadRow(error.violations)
    if problems := _problems(fields):
        return BadRow(tuple(Violation(f"{place}.{name}", text) for name, text in problems.items()))
    return IncomingCase(place, _content(fields))


def _our_fields(row: JsonObject) -> JsonObject:
    return {
        LANGSMITH_FIELDS.get(name, name): value
        for name, value in row.items()
        if name not in BOOKKEEPING and not (name in _ATTACHMENTS and not value)
    }


def _problems(fields: JsonObject) -> dict[str, str]:
    """What is wrong, by field."""
    problems = {name: _unknown(name) for name in fields if name not in FIELDS}
    if fields.get("input") is None:
        problems["input"] = "give an input"
    elif not isinstance(fields["input"], dict):
        problems["input"] = "it is not a JSON object"
    if not isinstance(fields.get("metadata") or {}, dict):
        problems["metadata"] = "it is not a JSON object"
    key = fields.get("id")
    if isinstance(key, bool) or not isinstance(key, str | int | None):
        problems["id"] = "it is not text"
    elif key is not None and not 1 <= len(str(key)) <= MAX_KEY_LENGTH:
        problems["id"] = f"give 1 to {MAX_KEY_LENGTH} characters"
    return problems


def _unknown(name: str) -> str:
    if name in _ATTACHMENTS:
        return "test cases have no attachments; put what the graph needs into the input"
    return f"a test case has no such field; it has {', '.join(FIELDS)}"


def _content(fields: JsonObject) -> CaseContent:
    key = fields.get("id")
    return CaseContent(
        key=_key_of(fields["input"]) if key is None else str(key),
        input=fields["input"],
        reference=fields.get("reference"),
        metadata=fields.get("metadata") or {},
    )


def _key_of(given: JsonObject) -> str:
    """The id of a case that has none: the same input, the same case."""
    return hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
