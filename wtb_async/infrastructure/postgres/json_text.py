"""JSON as text for `jsonb` parameters of hand-written statements."""

import json
from typing import Any

import orjson


def to_json_text(value: object) -> str:
    """Encode plain JSON values; objects that are not JSON raise TypeError."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def from_json_text(value: str | None) -> Any:  # noqa: ANN401 - JSON has any shape until it is read
    """Decode what asyncpg hands out for a `jsonb` column when no codec is set."""
    return None if value is None else json.loads(value)
