"""Translates the driver's errors into the domain's."""

from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.domain.errors import (
    AlreadyExists,
    Conflict,
    PermanentError,
    TransientError,
    WtbError,
)

_TRANSIENT_CLASSES = ("08", "40", "53", "55", "57")
"""SQLSTATE classes: connection, rollback, resources, object state, operator intervention."""


_AWAY = "the database is not available at the moment; try again shortly"


def translate_errors_of(engine: AsyncEngine) -> None:
    """Let statements and connections of this engine raise the domain's errors.

    The driver's own errors and those of the socket are not SQLAlchemy's while a connection is made.
    """
    event.listen(engine.sync_engine, "do_connect", _connect)
    event.listen(engine.sync_engine, "handle_error", _of_statement)


def _connect(
    dialect: Dialect,
    _record: object,
    arguments: tuple[Any, ...],
    parameters: dict[str, Any],
) -> DBAPIConnection:
    try:
        return dialect.connect(*arguments, **parameters)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise TransientError(_AWAY) from error


def _of_statement(context: ExceptionContext) -> WtbError | None:
    if isinstance(context.original_exception, asyncpg.InternalClientError):
        # What asyncpg raises when the backend said goodbye between two statements.
        context.is_disconnect = True
        return TransientError(_AWAY)
    error = context.sqlalchemy_exception
    return _translated(error) if isinstance(error, DBAPIError) else None


def _translated(error: DBAPIError) -> WtbError:
    """The domain's error for what the database refused."""
    state = str(getattr(error.orig, "sqlstate", "") or "")
    if isinstance(error, IntegrityError):
        return _integrity(error)
    if error.connection_invalidated or state[:2] in _TRANSIENT_CLASSES or not state:
        return TransientError(_AWAY)
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
