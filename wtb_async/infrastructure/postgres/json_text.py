"""JSON as text for `jsonb` parameters of hand-written statements."""

import orjson

from wtb_async.domain.errors import PermanentError


def to_json_text(value: object) -> str:
    """Encode plain JSON values.

    Raises:
        PermanentError: it is not JSON, is nested too deeply, or has an integer of over 64 bits.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError as error:
        raise PermanentError(f"the value cannot be stored as JSON: {error}") from error


def to_json_text_or_null(value: object) -> str | None:
    """The same, with the NULL of SQL for None."""
    return None if value is None else to_json_text(value)
