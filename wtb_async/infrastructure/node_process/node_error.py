"""A node's exception on its way out of the node's process.

Only plain values travel. What is raised in the runner is an exception of the nearest class that
the runner has loaded, so that retry policies and handlers meet what they would have met.
"""

import sys
from collections.abc import Iterator
from traceback import format_exception
from types import SimpleNamespace
from typing import Any, TypeGuard, cast

from langgraph.errors import GraphBubbleUp

from wtb_async.infrastructure.langgraph.bounded_json import bounded_message
from wtb_async.infrastructure.langgraph.plain_json import storable_text

_TRACEBACK_CHARACTERS = 16_384
_PLAIN = (str, int, float, bool, type(None))


def described(error: BaseException) -> dict[str, Any]:
    """All that is plain about an exception."""
    response = getattr(error, "response", None)
    return {
        "lineage": [[kind.__module__, kind.__qualname__] for kind in type(error).__mro__],
        "name": type(error).__name__,
        "message": bounded_message(error),
        "arguments": list(error.args) if _all_plain(error.args) else None,
        "attributes": {k: v for k, v in vars(error).items() if isinstance(v, _PLAIN)},
        "status_code": getattr(response, "status_code", None),
        "traceback": storable_text("".join(format_exception(error)))[-_TRACEBACK_CHARACTERS:],
    }


def rebuilt(told: dict[str, Any]) -> Exception:
    """The exception that was described, with its traceback as a note."""
    error = next(filter(None, (_remade(kind, told) for kind in _loaded(told["lineage"]))))
    error.__dict__.update(told["attributes"])
    if told["status_code"] is not None:
        # LangGraph's own retry policy asks HTTP errors for it.
        error.__dict__["response"] = SimpleNamespace(status_code=told["status_code"])
    error.add_note(f"In the node's own process:\n{told['traceback']}")
    return error


def _all_plain(values: tuple[object, ...]) -> bool:
    return all(isinstance(value, _PLAIN) for value in values)


def _loaded(lineage: list[list[str]]) -> Iterator[type[Exception]]:
    """The classes that this process has, nearest first; nothing is imported for it."""
    for module, qualified in lineage:
        found: Any = sys.modules.get(module)
        for part in qualified.split("."):
            found = getattr(found, part, None)
        if _is_error(found):
            yield found
    yield Exception


def _is_error(found: object) -> TypeGuard[type[Exception]]:
    if not isinstance(found, type) or not issubclass(found, Exception):
        return False
    return not issubclass(found, GraphBubbleUp)


def _remade(kind: type[Exception], told: dict[str, Any]) -> Exception | None:
    """An exception of this class and the original's name and message; None if it takes neither.

    Its constructor is not called: it may want what did not travel.
    """
    message, arguments = told["message"], told["arguments"]
    members = {"__module__": kind.__module__, "__str__": lambda _: message}
    try:
        remade = type(told["name"], (kind,), members)
        return cast(Exception, remade.__new__(remade, *(arguments or (message,))))
    except TypeError:  # Some classes of C code are final, or want arguments of their own.
        return None
