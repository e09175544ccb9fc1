"""Writes rows of several tables in one statement: one round trip however many rows there are."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TIMESTAMP, BigInteger, Boolean, Float, Integer, TypeEngine, Uuid

from wtb_async.infrastructure.postgres.json_text import to_json_text_or_null

Row = Mapping[str, Any]


class BulkWriter:
    """Collects new rows and inserts all of them with one statement.

    The statement is `WITH a AS (INSERT ... SELECT ... FROM unnest(...)), b AS (...) SELECT`.
    Postgres checks foreign keys when a statement ends, so the order of the tables is free, and the
    text depends only on which tables take part: each combination is prepared once per connection.
    """

    def __init__(self) -> None:
        self._rows: dict[Table, list[Row]] = {}

    def add(self, table: Table, row: Row) -> None:
        """Keep one row, by column name; every row of a table has the same columns."""
        self._rows.setdefault(table, []).append(row)

    def extend(self, table: Table, rows: Iterable[Row]) -> None:
        """Keep many rows."""
        self._rows.setdefault(table, []).extend(rows)

    async def flush(self, connection: AsyncConnection) -> None:
        """Insert what was collected, and forget it."""
        taken = {table: rows for table, rows in self._rows.items() if rows}
        self._rows = {}
        if not taken:
            return
        shape = tuple((table, tuple(rows[0])) for table, rows in taken.items())
        parameters = [
            _column_values(table.c[name], rows) for table, rows in taken.items() for name in rows[0]
        ]
        await connection.exec_driver_sql(_statement(shape), tuple(parameters))


@cache
def _statement(shape: tuple[tuple[Table, tuple[str, ...]], ...]) -> str:
    inserts: list[str] = []
    position = 1
    for table, names in shape:
        arrays = ", ".join(
            f"${position + offset}::{_array_type(table.c[name])}"
            for offset, name in enumerate(names)
        )
        values = ", ".join(f"{name}{_cast(table.c[name])}" for name in names)
        columns = ", ".join(names)
        inserts.append(
            f"{table.name}_rows AS (INSERT INTO {table.name} ({columns})"  # noqa: S608 - our own names
            f" SELECT {values} FROM unnest({arrays}) AS given ({columns}))"
        )
        position += len(names)
    return f"WITH {', '.join(inserts)} SELECT 1"


_ARRAY_TYPES: dict[type[TypeEngine[Any]], str] = {
    Uuid: "uuid[]",
    BigInteger: "bigint[]",
    Integer: "int[]",
    Boolean: "bool[]",
    Float: "float8[]",
    TIMESTAMP: "timestamptz[]",
}
"""Everything else travels as text; a `BigInteger` is an `Integer`, too."""


def _array_type(column: Column[Any]) -> str:
    known = (name for kind, name in _ARRAY_TYPES.items() if isinstance(column.type, kind))
    return next(known, "text[]")


def _cast(column: Column[Any]) -> str:
    return "::jsonb" if isinstance(column.type, JSONB) else ""


def _column_values(column: Column[Any], rows: list[Row]) -> list[Any]:
    name = column.name
    if isinstance(column.type, JSONB):
        return [to_json_text_or_null(row[name]) for row in rows]
    return [row[name] for row in rows]
