"""Test cases out of files, one row at a time, however large the file is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from wtb_async.domain.dataset import BadRow, CaseFormat, IncomingCase
from wtb_async.infrastructure.datasets.csv_rows import csv_rows
from wtb_async.infrastructure.datasets.json_items import json_items
from wtb_async.infrastructure.datasets.row import Row, bad_row, case_of_row, parse_row


@dataclass(frozen=True, slots=True)
class RowLimits:
    """What one row may be."""

    max_bytes: int
    max_depth: int


def read_cases(
    file: BinaryIO, case_format: CaseFormat, limits: RowLimits
) -> Iterator[IncomingCase | BadRow]:
    """Read the file's test cases; what is none is answered as a `BadRow` in its place.

    A file that breaks off, or is not what it is said to be, ends with a `BadRow`.
    """
    for place, row in _rows(file, case_format, limits.max_bytes):
        yield row if isinstance(row, BadRow) else case_of_row(place, row, limits.max_depth)


def _rows(file: BinaryIO, case_format: CaseFormat, max_bytes: int) -> Iterator[Row]:
    match case_format:
        case CaseFormat.JSONL:
            return _lines(file, max_bytes)
        case CaseFormat.JSON:
            return json_items(file, max_bytes)
        case CaseFormat.CSV:
            return csv_rows(file, max_bytes)


def _lines(file: BinaryIO, max_bytes: int) -> Iterator[Row]:
    number = 0
    while line := file.readline(max_bytes + 1):
        number += 1
        place = f"line.{number}"
        if len(line) > max_bytes:
            _skip_rest(line, file, max_bytes)
            yield place, bad_row(place, f"it is longer than {max_bytes} bytes")
        elif line.strip():
            yield place, parse_row(place, line)


def _skip_rest(line: bytes, file: BinaryIO, max_bytes: int) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(max_bytes)
