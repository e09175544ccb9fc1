"""Graph values as JSON for people to look at: never too large, and never a reason to fail."""

from wtb_async.infrastructure.langgraph.plain_json import plain_json, storable_text
from wtb_async.infrastructure.postgres.json_text import to_json_text

_MESSAGE_CHARACTERS = 4096


def bounded_json(value: object, max_bytes: int) -> str:
    """The value's JSON, or a note in its place where it is too large or cannot be stored."""
    try:
        text = to_json_text(plain_json(value))
    except Exception as error:  # noqa: BLE001 - whatever a value's own methods raise
        return to_json_text({"not_storable": message_of(error)})
    size = len(text.encode())
    if size > max_bytes:
        return to_json_text({"truncated": True, "size": size})
    return text


def message_of(error: BaseException) -> str:
    """The error's message, cut off where it gets too long."""
    try:
        return storable_text(str(error))[:_MESSAGE_CHARACTERS]
    except Exception as broken:  # noqa: BLE001 - an error of the user's own class
        return f"its message could not be read: {type(broken).__name__}"
