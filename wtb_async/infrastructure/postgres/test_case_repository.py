"""The test cases of datasets: staged, compared with the newest version, and taken over."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.ids import new_id
from wtb_async.domain.dataset import CaseChanges, ImportMode, IncomingCase
from wtb_async.domain.errors import Violation
from wtb_async.infrastructure.postgres.json_text import to_json_text, to_json_text_or_null

_OPEN_STAGING = text(
    """
    CREATE TEMPORARY TABLE wtb_incoming_cases (
        number integer GENERATED ALWAYS AS IDENTITY, position integer, id uuid, place text,
        key text, input jsonb, reference jsonb, metadata jsonb
    ) ON COMMIT DROP
    """
)
_STAGE = """
INSERT INTO wtb_incoming_cases (id, place, key, input, reference, metadata)
SELECT id, place, key, input::jsonb, reference::jsonb, metadata::jsonb
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    WITH ORDINALITY AS given (id, place, key, input, reference, metadata, number)
ORDER BY number
"""
_REPEATED = text(
    """
    SELECT place, first_place FROM (
        SELECT number, place, row_number() OVER same_key AS occurrence,
               first_value(place) OVER same_key AS first_place
        FROM wtb_incoming_cases WINDOW same_key AS (PARTITION BY key ORDER BY number)
    ) AS counted
    WHERE occurrence > 1 ORDER BY number LIMIT :limit
    """
)
_TAKEN = text(
    """
    SELECT place FROM wtb_incoming_cases AS incoming
    JOIN wtb_test_cases AS newest ON newest.key = incoming.key
        AND newest.dataset_id = :dataset_id AND newest.until_version IS NULL
    ORDER BY number LIMIT :limit
    """
)
_ANALYZE = text("ANALYZE wtb_incoming_cases")
_PLACE_AS_GIVEN = text("UPDATE wtb_incoming_cases SET position = number")
_PLACE_AT_THE_END = text(
    """
    UPDATE wtb_incoming_cases AS incoming SET position = COALESCE(
        (SELECT position FROM wtb_test_cases AS newest WHERE newest.key = incoming.key
            AND newest.dataset_id = :dataset_id AND newest.until_version IS NULL),
        (SELECT COALESCE(max(position), 0) FROM wtb_test_cases WHERE dataset_id = :dataset_id)
            + number)
    """
)
# Text tells 1 from 1.0, which are equal as jsonb.
_END_CHANGED = text(
    """
    UPDATE wtb_test_cases AS newest SET until_version = :version
    FROM wtb_incoming_cases AS incoming
    WHERE newest.dataset_id = :dataset_id AND newest.until_version IS NULL
      AND newest.key = incoming.key
      AND (newest.position, newest.input::text, newest.reference::text, newest.metadata::text)
          IS DISTINCT FROM (incoming.position, incoming.input::text, incoming.reference::text,
                            incoming.metadata::text)
    """
)
_END_MISSING = text(
    """
    UPDATE wtb_test_cases AS newest SET until_version = :version
    WHERE dataset_id = :dataset_id AND until_version IS NULL
      AND NOT EXISTS (SELECT FROM wtb_incoming_cases AS incoming WHERE incoming.key = newest.key)
    """
)
_INSERT_NEW = text(
    """
    INSERT INTO wtb_test_cases
        (id, dataset_id, since_version, key, position, input, reference, metadata)
    SELECT id, :dataset_id, :version, key, position, input, reference, metadata
    FROM wtb_incoming_cases AS incoming
    WHERE NOT EXISTS (SELECT FROM wtb_test_cases AS newest WHERE newest.key = incoming.key
        AND newest.dataset_id = :dataset_id AND newest.until_version IS NULL)
    """
)
_END_ONE = text(
    """
    UPDATE wtb_test_cases SET until_version = :version
    WHERE dataset_id = :dataset_id AND until_version IS NULL AND key = :key
    """
)
_HAS = text(
    """
    SELECT EXISTS (SELECT FROM wtb_test_cases
        WHERE dataset_id = :dataset_id AND until_version IS NULL AND key = :key)
    """
)
_CHOOSE = text(
    """
    SELECT id FROM (
        SELECT id, position FROM wtb_test_cases
        WHERE dataset_id = :dataset_id AND since_version <= :version
          AND COALESCE(until_version > :version, true)
        ORDER BY CASE WHEN CAST(:limit AS integer) IS NULL THEN NULL
                 ELSE sha256(convert_to(key, 'UTF8')) END
        LIMIT CAST(:limit AS integer)
    ) AS chosen
    ORDER BY position
    """
)


class PostgresTestCaseRepository:
    """Statements on the rows of `wtb_test_cases` that belong to datasets."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._is_open = False

    async def stage(self, cases: Sequence[IncomingCase]) -> None:
        """Put cases beside the table, for this transaction only."""
        connection = await self._session.connection()
        if not self._is_open:
            await connection.execute(_OPEN_STAGING)
            self._is_open = True
        contents = [case.content for case in cases]
        columns = (
            [new_id() for _ in cases],
            [case.place for case in cases],
            [content.key for content in contents],
            [to_json_text(content.input) for content in contents],
            [to_json_text_or_null(content.reference) for content in contents],
            [to_json_text(content.metadata) for content in contents],
        )
        await connection.exec_driver_sql(_STAGE, columns)

    async def problems(self, dataset_id: UUID, mode: ImportMode, limit: int) -> list[Violation]:
        """Which staged cases cannot be taken over: the id comes twice, or is taken."""
        rows = await self._session.execute(_REPEATED, {"limit": limit})
        repeated = [
            Violation(f"{row.place}.id", f"{row.first_place} has the same id") for row in rows
        ]
        if mode is not ImportMode.APPEND:
            return repeated
        taken = await self._session.execute(_TAKEN, {"dataset_id": dataset_id, "limit": limit})
        message = "the dataset has a case with this id; import with mode=upsert to replace it"
        return repeated + [Violation(f"{row.place}.id", message) for row in taken]

    async def take_staged(self, dataset_id: UUID, version: int, mode: ImportMode) -> CaseChanges:
        """Make the staged cases cases of the dataset from this version on."""
        await self._session.execute(_ANALYZE)
        at = {"dataset_id": dataset_id, "version": version}
        if mode is ImportMode.REPLACE:
            await self._session.execute(_PLACE_AS_GIVEN)
            removed = await self._count(_END_MISSING, at)
        else:
            await self._session.execute(_PLACE_AT_THE_END, {"dataset_id": dataset_id})
            removed = 0
        changed = await self._count(_END_CHANGED, at)
        inserted = await self._count(_INSERT_NEW, at)
        return CaseChanges(added=inserted - changed, changed=changed, removed=removed)

    async def has(self, dataset_id: UUID, key: str) -> bool:
        """Whether the newest version has a case with this id."""
        found = await self._session.scalar(_HAS, {"dataset_id": dataset_id, "key": key})
        return bool(found)

    async def end(self, dataset_id: UUID, key: str, version: int) -> bool:
        """Let a case end with this version; False when there is none."""
        at = {"dataset_id": dataset_id, "key": key, "version": version}
        return await self._count(_END_ONE, at) == 1

    async def choose(self, dataset_id: UUID, version: int, limit: int | None) -> list[UUID]:
        """The cases of a version, in order; with a limit those that `sampled` would choose."""
        at = {"dataset_id": dataset_id, "version": version, "limit": limit}
        return list((await self._session.execute(_CHOOSE, at)).scalars())

    async def _count(self, statement: TextClause, parameters: dict[str, object]) -> int:
        connection = await self._session.connection()
        return (await connection.execute(statement, parameters)).rowcount
