"""Scorers of openevals and autoevals, named as they are where these libraries are installed."""

import importlib
import importlib.util
import inspect
from typing import Any, Final

from wtb_async.domain.errors import InvalidInput

LIBRARIES: Final = frozenset({"openevals", "autoevals"})


def is_of_library(reference: str) -> bool:
    """Tell whether a reference leads into one of these libraries."""
    return _library_of(reference) in LIBRARIES


def check_library_scorer(reference: str, *, field: str) -> None:
    """Raise InvalidInput unless the library is installed; nothing is loaded."""
    library = _library_of(reference)
    if importlib.util.find_spec(library) is None:
        raise InvalidInput.of(field, f"{reference!r}: {library} is not installed on this server")
    if ":" not in reference or not _attribute(reference).isidentifier():
        raise InvalidInput.of(field, f"{reference!r} is not 'module:attr'")


def load_library_scorer(reference: str) -> Any:  # noqa: ANN401 - the library's own object
    """Import a scorer that is the library's own: what it imports itself is nobody's to call.

    Raises:
        InvalidInput: it does not load, or is not the library's.
    """
    try:
        module = importlib.import_module(reference.rpartition(":")[0])
        found = getattr(module, _attribute(reference))
    except Exception as error:
        message = f"{reference!r} does not load: {type(error).__name__}: {error}"
        raise InvalidInput.of("evaluators", message) from error
    if _library_of(str(getattr(found, "__module__", ""))) != _library_of(reference):
        message = f"{reference!r} is not of {_library_of(reference)} itself"
        raise InvalidInput.of("evaluators", message)
    return found


def makes_scorers(found: object, reference: str) -> bool:
    """Tell whether this is no scorer yet but makes one: a class, or openevals' `create_...`."""
    is_factory = is_of_library(reference) and _attribute(reference).startswith("create_")
    return inspect.isclass(found) or is_factory


def _attribute(reference: str) -> str:
    return reference.rpartition(":")[2]


def _library_of(reference: str) -> str:
    return reference.partition(":")[0].partition(".")[0]
