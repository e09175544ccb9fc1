"""Keyset pagination over time-ordered ids: stable while rows are inserted."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, RowMapping, Select

from wtb_async.application.views import Page
from wtb_async.domain.errors import InvalidInput

View = TypeVar("View")


def newest_first(
    query: Select[Any], key: Column[Any], *, limit: int, cursor: str | None
) -> Select[Any]:
    """One page of `query`, and one row more to know whether another page follows."""
    if cursor is not None:
        query = query.where(key < read_cursor(cursor))
    return query.order_by(key.desc()).limit(limit + 1)


def oldest_first(
    query: Select[Any], key: Column[Any], *, limit: int, cursor: str | None
) -> Select[Any]:
    """The same from the other end."""
    if cursor is not None:
        query = query.where(key > read_cursor(cursor))
    return query.order_by(key).limit(limit + 1)


def page_of(
    rows: Sequence[RowMapping], view: Callable[[RowMapping], View], *, limit: int, key: str = "id"
) -> Page[View]:
    """Cut the extra row off and point behind the last one shown."""
    shown = rows[:limit]
    cursor = write_cursor(shown[-1][key]) if len(rows) > limit else None
    return Page([view(row) for row in shown], cursor)


def write_cursor(last: UUID) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def read_cursor(cursor: str) -> UUID:
    """Where the cursor points. Raises InvalidInput."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error) as error:
        message = "it is not a cursor of this server; leave it out to begin at the first page"
        raise InvalidInput.of("cursor", message) from error
