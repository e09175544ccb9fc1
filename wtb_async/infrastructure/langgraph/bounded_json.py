"""Graph values as JSON for people to look at: never too large, and never a reason to fail."""

from wtb_async.infrastructure.langgraph.plain_json import message_of, plain_json
from wtb_async.infrastructure.postgres.json_text import to_json_text

_MESSAGE_CHARACTERS = 4096


def bounded_json(value: object, max_bytes: int) -> str:
    """The value's JSON, or a note in its place where it is too large or cannot be stored."""
    try:
        text = to_json_text(plain_json(value))
    except Exception as error:  # noqa: BLE001 - whatever a value's own methods raise
        return to_json_text({"not_storable": bounded_message(error)})
    size = len(text.encode())
    if size > max_bytes:
        return to_json_text({"truncated": True, "size": size})
    return text


def bounded_message(error: BaseException) -> str:
    """What an error says, cut off where it gets too long."""
    return message_of(error)[:_MESSAGE_CHARACTERS]
