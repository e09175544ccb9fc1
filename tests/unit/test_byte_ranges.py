"""Ranges and conditions of HTTP."""

import pytest
from starlette.datastructures import Headers

from api.byte_ranges import ByteRange, RangeNotSatisfiable, is_known, wanted_range

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=2-100", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-300", (0, 10)),
        ("Bytes= 9-9 ", (9, 10)),
    ],
)
def test_one_range_is_cut_to_what_there_is(text: str, expected: tuple[int, int]) -> None:
    assert wanted_range(Headers({"range": text}), 10, ETAG) == ByteRange(*expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-3",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "lines=0-1",
        "bytes=²-",
        "bytes=--1",
        f"bytes=0-{'9' * 20}",
    ],
)
def test_what_is_not_one_range_asks_for_the_whole(text: str) -> None:
    assert wanted_range(Headers({"range": text}), 10, ETAG) is None


@pytest.mark.parametrize(("text", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_a_range_behind_the_end_is_refused_with_the_size(text: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        wanted_range(Headers({"range": text}), size, ETAG)
    assert refused.value.headers == {"Content-Range": f"bytes */{size}"}


@pytest.mark.parametrize(
    ("condition", "is_part"),
    [
        (ETAG, True),
        ('"other"', False),
        (f"W/{ETAG}", False),
        ("Sat, 01 Jan 2026 00:00:00 GMT", False),
    ],
)
def test_a_range_of_another_content_asks_for_the_whole(condition: str, *, is_part: bool) -> None:
    headers = Headers({"range": "bytes=0-1", "if-range": condition})
    assert (wanted_range(headers, 10, ETAG) is not None) is is_part


@pytest.mark.parametrize(
    ("text", "known"),
    [("", False), (ETAG, True), (f'"x", W/{ETAG}', True), ("*", True), ('"x"', False)],
)
def test_a_caller_who_names_the_content_has_it(text: str, *, known: bool) -> None:
    assert is_known(Headers({"if-none-match": text}), ETAG) is known
