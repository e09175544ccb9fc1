"""Stored values as JSON for readers, whatever they turn out to be."""

from collections.abc import Callable

from wtb_async.domain.json import JsonValue
from wtb_async.infrastructure.langgraph.plain_json import plain_json, storable_text
from wtb_async.infrastructure.postgres.json_text import to_json_text


class NotShown(Exception):
    """Why a value is not shown, for readers."""


def shown_json(read: Callable[[], object], path: str = "") -> JsonValue:
    """Give what `read` returns as JSON.

    Args:
        read: loads the value.
        path: what the value is called when it is at fault.

    Raises:
        NotShown: it does not load, or JSON has no form for it.
    """
    try:
        shown = plain_json(read(), path)
        to_json_text(shown)
    except Exception as error:
        # Whatever a serializer or a value's own methods raise: the rest can still be shown.
        raise NotShown(reason_of(error)) from error
    return shown


def reason_of(error: Exception) -> str:
    """The error in one text, for readers."""
    return storable_text(f"{type(error).__name__}: {error}")
