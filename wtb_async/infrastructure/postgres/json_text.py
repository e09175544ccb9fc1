"""JSON as text for `jsonb` parameters of hand-written statements."""

import orjson


def to_json_text(value: object) -> str:
    """Encode plain JSON values; objects that are not JSON raise TypeError."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
