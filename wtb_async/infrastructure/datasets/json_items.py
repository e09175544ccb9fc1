"""The items of a JSON list, without the list."""

import json
import re
from codecs import getreader
from collections.abc import Iterator
from typing import BinaryIO

from wtb_async.infrastructure.datasets.row import Row, bad_row, parse_row

_BLOCK = 1 << 16
_SPACE = re.compile(r"[ \t\r\n]*")


class _Broken(Exception):
    """The text is not the JSON that it should be."""


def json_items(file: BinaryIO, max_bytes: int) -> Iterator[Row]:
    """Yield the items of a list, or the one object that is there instead.

    What cannot be read ends it: nobody knows where the next item would begin.
    """
    text = _Text(file, max_bytes)
    number = 0
    try:
        is_list = text.skip("[")
        is_over = is_list and text.skip("]")
        while not is_over:
            number += 1
            place = f"item.{number}"
            yield place, parse_row(place, text.take_value())
            is_over = not (is_list and text.skip(","))
            if is_list and is_over:
                text.expect("]")
        text.expect("")
    except (_Broken, UnicodeDecodeError) as error:
        place = f"item.{max(number, 1)}"
        yield place, bad_row(place, f"this is not JSON: {error}")


class _Text:
    """A text that is read as far as it is looked at."""

    def __init__(self, file: BinaryIO, max_characters: int) -> None:
        self._reader = getreader("utf-8")(file)
        self._decoder = json.JSONDecoder()
        self._max = max_characters
        self._read = ""
        self._at = 0

    def skip(self, character: str) -> bool:
        """Pass over this character, if it is the next."""
        is_next = self._next_character() == character
        self._at += is_next
        return is_next

    def expect(self, character: str) -> None:
        """Pass over this character; nothing stands for the end of the text."""
        found = self._next_character()
        if found != character:
            raise _Broken(f"{character or 'the end'!r} should follow, not {found or 'the end'!r}")
        self._at += len(character)

    def take_value(self) -> str:
        """The text of the value that comes next."""
        self._next_character()
        while True:
            try:
                _, end = self._decoder.raw_decode(self._read, self._at)
            except RecursionError:
                raise _Broken("it is nested too deeply") from None
            except json.JSONDecodeError as error:
                self._read_on(error)
            else:
                start, self._at = self._at, end
                return self._read[start:end]

    def _read_on(self, error: json.JSONDecodeError) -> None:
        """Perhaps the value was not there as a whole."""
        if len(self._read) - self._at > self._max:
            raise _Broken(f"{error.msg}, or it is longer than {self._max} characters") from None
        if not self._read_block():
            raise _Broken(f"{error.msg}, at character {error.pos - self._at + 1}") from None

    def _next_character(self) -> str:
        """The next one that is no space, left where it is; nothing at the end of the text."""
        while True:
            self._at = _SPACE.match(self._read, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._read):
                return self._read[self._at]
            if not self._read_block():
                return ""

    def _read_block(self) -> bool:
        block = self._reader.read(_BLOCK)
        self._read = self._read[self._at :] + block
        self._at = 0
        return bool(block)
