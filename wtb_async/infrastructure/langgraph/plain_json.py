"""Graph values as JSON that Postgres can store."""

import base64
import dataclasses
import math
from collections.abc import Callable, Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

import numpy as np
from pydantic import BaseModel

from wtb_async.domain.json import JsonValue


class NotStorable(ValueError):
    """A value that JSON in Postgres cannot hold; `path` says where it is."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        super().__init__(f"{path or 'the value'}: {problem}")


def plain_json(value: object, path: str = "") -> JsonValue:
    """Convert what nodes return to plain JSON.

    Messages and other Pydantic models become their fields, dataclasses likewise; times become RFC
    3339, bytes base64, sets lists; anything else its `repr`.

    Raises:
        NotStorable: a NUL byte, a lone surrogate, NaN, an infinity or an integer of more than 64
            bits: Postgres or our encoder takes none of them.
    """
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, path)
        case int() | float():
            return _number(value, path)
        case Mapping():
            return {
                _text(str(key), path): plain_json(item, f"{path}.{key}" if path else str(key))
                for key, item in value.items()
            }
        case list() | tuple() | Set():
            return [plain_json(item, f"{path}[{index}]") for index, item in enumerate(value)]
        case _:
            return _other(value, path)


def check_scalar(value: object, path: str) -> None:
    """Raise NotStorable for a string or number that JSON in Postgres cannot hold."""
    kind = type(value)
    if kind is str:
        _text(cast("str", value), path)
    elif kind is float or kind is int:
        _number(cast("float", value), path)


def message_of(error: BaseException) -> str:
    """What an error says, so that Postgres can hold it."""
    try:
        return storable_text(str(error))
    except Exception as broken:  # noqa: BLE001 - an error of the user's own class
        return f"its message could not be read: {type(broken).__name__}"


def storable_text(text: str) -> str:
    """The text with escapes in place of what Postgres cannot hold: for messages, not for data."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


_PLAIN_FORMS: tuple[tuple[tuple[type, ...], Callable[[Any], object]], ...] = (
    ((BaseModel,), BaseModel.model_dump),
    ((Enum,), lambda member: member.value),
    ((datetime, date, time), lambda moment: moment.isoformat()),
    ((timedelta,), timedelta.total_seconds),
    ((UUID, PurePath, Decimal), str),
    ((bytes, bytearray), lambda data: base64.b64encode(data).decode()),
    ((np.ndarray, np.generic), lambda array: array.tolist()),
)
"""What stands for values that JSON has no form for; the first match counts."""


def _other(value: object, path: str) -> JsonValue:
    for types, plain in _PLAIN_FORMS:
        if isinstance(value, types):
            return plain_json(plain(value), path)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return plain_json({f.name: getattr(value, f.name) for f in fields}, path)
    return _text(repr(value), path)


def _text(value: str, path: str) -> str:
    if "\x00" in value:
        raise NotStorable(path, "the text holds a NUL byte")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotStorable(path, "the text holds a lone surrogate") from error
    return value


def _number(value: float, path: str) -> float:
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise NotStorable(path, "the number takes more than 64 bits")
        return int(value)
    if not math.isfinite(value):
        raise NotStorable(path, f"{value} is not a JSON number")
    return float(value)  # NumPy's float64 is a float that the encoder refuses.
