"""What a database consists of, read from its catalogue so that two can be compared."""

from typing import Any

import psycopg

Rows = list[tuple[Any, ...]]

_COLUMNS = """
SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public'
ORDER BY table_name, ordinal_position
"""
_INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_RELATIONS = """
SELECT relname, relkind::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace ORDER BY 1
"""
_TYPES = "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace ORDER BY 1"
_FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"


def query(url: str, statement: str) -> Rows:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def schema_of(url: str, prefix: str = "") -> dict[str, Rows]:
    """Columns, indexes and constraints of the tables whose name starts with `prefix`."""
    found = {
        "columns": query(url, _COLUMNS),
        "indexes": query(url, _INDEXES),
        "constraints": query(url, _CONSTRAINTS),
    }
    return {
        kind: [row for row in rows if str(row[0]).startswith(prefix)]
        for kind, rows in found.items()
    }


def everything_in(url: str) -> dict[str, Rows]:
    """Every relation, type and function of the schema, by name."""
    return {
        "relations": query(url, _RELATIONS),
        "types": query(url, _TYPES),
        "functions": query(url, _FUNCTIONS),
    }
