"""Conditional and partial reads of HTTP (RFC 9110), for contents whose hash is their ETag."""

import re
from dataclasses import dataclass

from fastapi import HTTPException
from starlette.datastructures import Headers

_ONE_RANGE = re.compile(
    r"bytes=\s*(?P<first>\d{0,19})-(?P<last>\d{0,19})\s*", re.IGNORECASE | re.ASCII
)


class RangeNotSatisfiable(HTTPException):
    """The range begins behind the end of the content."""

    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        detail = f"the content has {size} bytes; ask for a range that begins in it"
        super().__init__(416, detail, headers={"Content-Range": f"bytes */{size}"})


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` to before `end`."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        """The header that tells which bytes these are."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def wanted_range(headers: Headers, size: int, etag: str) -> ByteRange | None:
    """The one range that is asked for; None is the whole content.

    Several ranges, units other than bytes and what is no range at all are passed over, as the RFC
    allows, and so is a range of another content than the caller's (`If-Range`).

    Raises:
        RangeNotSatisfiable: it begins behind the end, or is of no bytes.
    """
    found = _ONE_RANGE.fullmatch(headers.get("range", ""))
    if found is None or headers.get("if-range", etag) != etag:
        return None
    first, last = found["first"], found["last"]
    if not first and not last:
        return None
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise RangeNotSatisfiable(size)
    return ByteRange(start, end)


def is_known(headers: Headers, etag: str) -> bool:
    """Whether the caller has this very content already (`If-None-Match`)."""
    known = [
        each.strip().removeprefix("W/") for each in headers.get("if-none-match", "").split(",")
    ]
    return etag in known or known == ["*"]
