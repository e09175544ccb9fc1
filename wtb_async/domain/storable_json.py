"""What JSON from outside may hold, so that Postgres can keep it."""

import math

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.json import JsonValue


class NestedTooDeeply(InvalidInput):
    """The JSON has more levels than this server takes."""


def check_storable(value: JsonValue, max_depth: int, path: str = "") -> None:
    """Look at every value in parsed JSON.

    Raises:
        NestedTooDeeply: more containers in one another than `max_depth`, less one.
        InvalidInput: a NUL byte, or a number out of range; the field is its dotted path.
    """
    if max_depth == 0:
        raise NestedTooDeeply.of(path, "it is nested too deeply")
    match value:
        case list():
            for index, item in enumerate(value):
                check_storable(item, max_depth - 1, f"{path}.{index}" if path else str(index))
        case dict():
            for key, item in value.items():
                _check_scalar(key, path)
                check_storable(item, max_depth - 1, f"{path}.{key}" if path else key)
        case _:
            _check_scalar(value, path)


def _check_scalar(value: JsonValue, path: str) -> None:
    match value:
        case str() if "\x00" in value:
            raise InvalidInput.of(path, "text must not hold a NUL byte")
        case float() if not math.isfinite(value):
            raise InvalidInput.of(path, "the number is out of range")
        case int() if not -(2**63) <= value < 2**63:
            raise InvalidInput.of(path, "the number is out of range")
