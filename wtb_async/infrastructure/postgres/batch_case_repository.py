"""The cases that batch tests run: what they are, and what is new beside them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.batches.repositories import CaseDifference
from wtb_async.domain.batch_test import TestCase
from wtb_async.domain.dataset import CaseContent
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.json_text import to_json_text, to_json_text_or_null

_OF_BATCH = text(
    """
    SELECT id FROM wtb_test_cases
    WHERE id IN (SELECT test_case_id FROM wtb_executions WHERE batch_test_id = :batch_id)
    ORDER BY position, id
    """
)

# $1 batch id. Text tells 1 from 1.0, which are equal as jsonb.
_DIFFERENCES = """
SELECT given.place::int - 1 AS place, given.key, had.id IS NOT NULL AS is_changed
FROM ({given}) AS given
LEFT JOIN (
    SELECT * FROM wtb_test_cases
    WHERE id IN (SELECT test_case_id FROM wtb_executions WHERE batch_test_id = $1)
) AS had ON had.key = given.key
WHERE had.id IS NULL
   OR (had.input::text, had.reference::text, had.metadata::text) IS DISTINCT FROM
      (given.input::text, given.reference::text, given.metadata::text)
ORDER BY given.place
"""
_OF_DATASET = _DIFFERENCES.format(
    given="""
    SELECT * FROM wtb_test_cases
    JOIN unnest($2::uuid[]) WITH ORDINALITY AS named (id, place) USING (id)"""
)
_OF_CONTENTS = _DIFFERENCES.format(
    given="""
    SELECT key, input::jsonb, reference::jsonb, metadata::jsonb, place
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
        WITH ORDINALITY AS written (key, input, reference, metadata, place)"""
)


class PostgresBatchCaseRepository:
    """Statements on the rows of `wtb_test_cases` that batch tests run."""

    def __init__(self, session: AsyncSession, bulk: BulkWriter) -> None:
        self._session = session
        self._bulk = bulk

    def add(self, cases: Sequence[TestCase]) -> None:
        """Insert cases of a batch test's own when the unit of work commits."""
        self._bulk.extend(tables.test_cases, map(_row, cases))

    async def of_batch(self, batch_id: UUID) -> list[UUID]:
        """The cases that the batch test has executions of, in order."""
        return list((await self._session.execute(_OF_BATCH, {"batch_id": batch_id})).scalars())

    async def differences(self, batch_id: UUID, case_ids: Sequence[UUID]) -> list[CaseDifference]:
        """How these cases of a dataset differ from those that the batch test has."""
        return await self._read(_OF_DATASET, batch_id, list(case_ids))

    async def differences_of_contents(
        self, batch_id: UUID, contents: Sequence[CaseContent]
    ) -> list[CaseDifference]:
        """How cases that nobody has kept yet differ from those that the batch test has."""
        return await self._read(
            _OF_CONTENTS,
            batch_id,
            [content.key for content in contents],
            [to_json_text(content.input) for content in contents],
            [to_json_text_or_null(content.reference) for content in contents],
            [to_json_text(content.metadata) for content in contents],
        )

    async def _read(self, statement: str, *parameters: object) -> list[CaseDifference]:
        connection = await self._session.connection()
        rows = await connection.exec_driver_sql(statement, parameters)
        return [CaseDifference(**row) for row in rows.mappings()]


def _row(case: TestCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "batch_test_id": case.batch_test_id,
        "key": case.key,
        "position": case.position,
        "input": case.input,
        "reference": case.reference,
        "metadata": case.annotations,
    }
