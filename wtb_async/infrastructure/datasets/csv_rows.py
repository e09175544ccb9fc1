"""The rows of a CSV file as objects."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import BinaryIO

from wtb_async.domain.dataset import BadRow
from wtb_async.domain.errors import Violation
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.datasets.row import (
    BOOKKEEPING,
    FIELDS,
    LANGSMITH_FIELDS,
    Row,
    bad_row,
    parse_row,
)

_PREFIXES = {
    **{f"{field}.": field for field in FIELDS[1:]},
    **{f"{name}.": field for name, field in LANGSMITH_FIELDS.items()},
    "input_": "input",
    "output_": "reference",
}
"""Columns that begin like this hold one key of a field, as text; the last two are LangSmith's."""


@dataclass(frozen=True, slots=True)
class _Column:
    """What the cells of a column are: a field as JSON, or the text of one key of it."""

    name: str
    field: str
    key: str | None = None


def csv_rows(file: BinaryIO, max_bytes: int) -> Iterator[Row]:
    """Yield an object per row; its place is the line where it begins.

    What cannot be read ends it.
    """
    csv.field_size_limit(max_bytes)
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(_lines(text, max_bytes), strict=True)
    line = 1
    try:
        columns = [_column(name) for name in next(reader, [])]
        if problems := _problems(columns):
            yield "line.1", BadRow(problems)
            return
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                yield f"line.{line}", _row(f"line.{line}", columns, cells)
            line = reader.line_num + 1
    except (csv.Error, UnicodeDecodeError) as error:
        yield f"line.{line}", bad_row(f"line.{line}", f"this is not CSV in UTF-8: {error}")
    finally:
        text.detach()


def _lines(text: TextIOWrapper, max_characters: int) -> Iterator[str]:
    while line := text.readline(max_characters + 1):
        if len(line) > max_characters:
            raise csv.Error(f"the line is longer than {max_characters} characters")
        yield line


def _column(name: str) -> _Column:
    field = LANGSMITH_FIELDS.get(name, name)
    if field in FIELDS or name in BOOKKEEPING:
        return _Column(name, field)
    for prefix, part_of in _PREFIXES.items():
        if name.startswith(prefix):
            return _Column(name, part_of, name.removeprefix(prefix))
    return _Column(name, "")


def _problems(columns: list[_Column]) -> tuple[Violation, ...]:
    parts = [(column.field, column.key) for column in columns]
    whole = {column.field for column in columns if column.key is None}
    return tuple(
        Violation(f"line.1.{column.name}", text)
        for column in columns
        for applies, text in (
            (not column.field, f"no such column; there are {', '.join(FIELDS)} and their parts"),
            (column.field and parts.count((column.field, column.key)) > 1, "it is there twice"),
            (column.key is not None and column.field in whole, f"{column.field} is there as well"),
        )
        if applies
    )


def _row(place: str, columns: list[_Column], cells: list[str]) -> JsonObject | BadRow:
    """The cells as an object; an empty cell is nothing."""
    if len(cells) != len(columns):
        return bad_row(place, f"it has {len(cells)} cells, and the header has {len(columns)}")
    row: JsonObject = {}
    for column, cell in zip(columns, cells, strict=True):
        if not cell or column.field in BOOKKEEPING:
            continue
        if column.key is not None:
            row.setdefault(column.field, {})[column.key] = cell
        elif column.field == "id":
            row["id"] = cell
        elif isinstance(value := parse_row(f"{place}.{column.field}", cell), BadRow):
            return value
        else:
            row[column.field] = value
    return row
