"""Keyset pagination over time-ordered ids: stable while rows are inserted."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, RowMapping, Select

from wtb_async.application.cursors import read_place, write_place
from wtb_async.application.views import Page

View = TypeVar("View")

_LARGEST_NUMBER = 2**63 - 1
"""No number is larger that Postgres counts rows with; a cursor that somebody made up may be."""


def newest_first(
    query: Select[Any], key: Column[Any], *, limit: int, cursor: str | None
) -> Select[Any]:
    """One page of `query`, and one row more to know whether another page follows."""
    if cursor is not None:
        query = query.where(key < _place(key, cursor))
    return query.order_by(key.desc()).limit(limit + 1)


def oldest_first(
    query: Select[Any], key: Column[Any], *, limit: int, cursor: str | None
) -> Select[Any]:
    """The same from the other end."""
    if cursor is not None:
        query = query.where(key > _place(key, cursor))
    return query.order_by(key).limit(limit + 1)


def page_of(
    rows: Sequence[RowMapping], view: Callable[[RowMapping], View], *, limit: int, key: str = "id"
) -> Page[View]:
    """Cut the extra row off and point behind the last one shown."""
    shown = rows[:limit]
    cursor = write_cursor(shown[-1][key]) if len(rows) > limit else None
    return Page([view(row) for row in shown], cursor)


def write_cursor(last: UUID | int) -> str:
    """An opaque place in a list."""
    return write_place((UUID(int=last) if isinstance(last, int) else last).bytes)


def read_cursor(cursor: str) -> UUID:
    """Where the cursor points. Raises InvalidInput."""
    return read_place(cursor, lambda place: UUID(bytes=place))


def _place(key: Column[Any], cursor: str) -> UUID | int:
    place = read_cursor(cursor)
    return min(place.int, _LARGEST_NUMBER) if isinstance(key.type, BigInteger) else place
