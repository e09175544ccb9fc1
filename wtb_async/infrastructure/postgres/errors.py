"""Translates the driver's errors into the domain's."""

from sqlalchemy.exc import DBAPIError, IntegrityError

from wtb_async.domain.errors import (
    AlreadyExists,
    Conflict,
    PermanentError,
    TransientError,
    WtbError,
)

_TRANSIENT_CLASSES = ("08", "40", "53", "55", "57")
"""SQLSTATE classes: connection, rollback, resources, object state, operator intervention."""


def translated(error: DBAPIError) -> WtbError:
    """The domain's error for what the database refused."""
    state = str(getattr(error.orig, "sqlstate", "") or "")
    if isinstance(error, IntegrityError):
        return _integrity(error)
    if error.connection_invalidated or state[:2] in _TRANSIENT_CLASSES or not state:
        return TransientError("the database is not available at the moment; try again shortly")
    return PermanentError(f"the database refused the statement (SQLSTATE {state})")


def _integrity(error: IntegrityError) -> WtbError:
    cause = getattr(error.orig, "__cause__", None)
    table = str(getattr(cause, "table_name", "") or "row").removeprefix("wtb_").rstrip("s")
    if getattr(error.orig, "sqlstate", None) == "23505":
        return AlreadyExists(table.replace("_", " "), _taken(str(cause or error.orig)))
    return Conflict(f"another object still refers to this {table.replace('_', ' ')}")


def _taken(message: str) -> str:
    _, _, after = message.partition(")=(")
    return after.partition(")")[0] or "this name"
