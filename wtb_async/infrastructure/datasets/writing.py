"""Test cases as files, a chunk at a time."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import astuple, dataclass

import orjson

from wtb_async.domain.dataset import CaseFormat
from wtb_async.infrastructure.datasets.row import FIELDS


@dataclass(frozen=True, slots=True)
class WrittenCase:
    """A test case whose values are JSON texts already, as the database writes them."""

    key: str
    input: str
    reference: str | None
    metadata: str


async def write_cases(
    chunks: AsyncIterator[Sequence[WrittenCase]], case_format: CaseFormat
) -> AsyncIterator[bytes]:
    """Write the file that `read_cases` reads back as the same cases."""
    start, between, end = _FRAMES[case_format]
    write = _csv if case_format is CaseFormat.CSV else _json
    yield start.encode()
    separator = ""
    async for chunk in chunks:
        yield (separator + between.join(map(write, chunk))).encode()
        separator = between
    yield end.encode()


_FRAMES = {
    CaseFormat.JSONL: ("", "", ""),
    CaseFormat.JSON: ("[\n", ",", "]\n"),
    CaseFormat.CSV: (",".join(FIELDS) + "\r\n", "", ""),
}
"""What stands before, between and after the lines of the cases."""


def _json(case: WrittenCase) -> str:
    key = orjson.dumps(case.key).decode()
    values = (key, case.input, case.reference or "null", case.metadata)
    members = (f'"{name}":{text}' for name, text in zip(FIELDS, values, strict=True))
    return "{" + ",".join(members) + "}\n"


def _csv(case: WrittenCase) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(astuple(case))
    return line.getvalue()
