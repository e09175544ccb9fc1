"""Walks a table in parts and finds the rows for which a condition does not hold."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.maintenance.checks import Looked
from wtb_async.domain.integrity import Check, Finding

_FIRST = {"uuid": "00000000-0000-0000-0000-000000000000", "text": "", "bigint": "0"}
"""What comes before every key of a type."""


@dataclass(frozen=True, slots=True)
class InspectionOptions:
    """How tables are walked."""

    grace_seconds: float
    """What is younger may be work under way."""
    kept_months: int
    """For how long events and audit entries are kept."""
    chunk_size: int
    """Rows per statement: each is a transaction of its own, and sees one moment."""


@dataclass(frozen=True, kw_only=True)
class RowCheck:
    """A check as SQL; in all of it a row of the table is called `item`.

    The SQL may use `:grace_seconds` and `:kept_months`. Parts are cut by the key, which an index
    must have, so that each costs the same however large the table is.
    """

    check: Check
    table: str
    key: dict[str, str]
    """The columns of the key, each with its type."""
    is_looked_at: str = "TRUE"
    is_broken: str
    subject: str
    detail: str

    @cached_property
    def statement(self) -> TextClause:
        """Answers one row: how many rows were walked, the last key, and what was found."""
        columns = ", ".join(f"item.{column}" for column in self.key)
        after = ", ".join(
            f"CAST(CAST(:{column} AS text) AS {type_})" for column, type_ in self.key.items()
        )
        last = ", ".join(f"item.{column}::text" for column in self.key)
        backwards = ", ".join(f"item.{column} DESC" for column in self.key)
        return text(
            f"""
            WITH walked AS MATERIALIZED (
                SELECT item.* FROM {self.table} AS item
                WHERE ({columns}) > ({after}) AND {self.is_looked_at}
                ORDER BY {columns} LIMIT :chunk_size
            ), broken AS (
                SELECT ({self.subject})::text AS subject, ({self.detail})::text AS detail
                FROM walked AS item WHERE {self.is_broken}
            )
            SELECT (SELECT count(*) FROM walked) AS walked,
                   (SELECT ARRAY[{last}] FROM walked AS item ORDER BY {backwards} LIMIT 1) AS last,
                   (SELECT jsonb_agg(to_jsonb(broken)) FROM broken) AS found
            """  # noqa: S608 - only the SQL of our own checks goes in
        )


class RowInspection:
    """Makes a row check."""

    def __init__(self, check: RowCheck, engine: AsyncEngine, options: InspectionOptions) -> None:
        self.check = check.check
        self._row_check = check
        self._engine = engine.execution_options(postgresql_readonly=True)
        self._options = options

    async def look(self, cursor: list[str] | None) -> Looked:
        """Look at the next rows. Raises TransientError."""
        key = self._row_check.key
        after = cursor or [_FIRST[type_] for type_ in key.values()]
        statement = self._row_check.statement
        given = {
            "grace_seconds": self._options.grace_seconds,
            "kept_months": self._options.kept_months,
            "chunk_size": self._options.chunk_size,
            **dict(zip(key, after, strict=True)),
        }
        async with self._engine.connect() as connection:
            row = (await connection.execute(statement, given)).one()
        findings = [Finding(each["subject"], each["detail"]) for each in row.found or ()]
        is_last = row.walked < self._options.chunk_size
        return Looked(findings, None if is_last else row.last)
