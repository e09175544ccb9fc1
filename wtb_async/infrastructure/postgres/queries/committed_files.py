"""The paths of file commits, put together from what each commit of a chain has changed."""

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.domain.file_commit import FileMemento
from wtb_async.domain.file_difference import FileDifference, difference_at
from wtb_async.infrastructure.postgres.file_repository import memento_of

# Each commit of the chain gives its next paths; those behind the place up to which one of them gave
# all that it was asked for are left to the next call. Fewer rows than asked for are the last ones.
_WALK = text("""
WITH RECURSIVE chain AS (
    SELECT id, parent_id, 0 AS depth FROM wtb_file_commits WHERE id = :commit
    UNION ALL
    SELECT parent.id, parent.parent_id, depth + 1
    FROM chain JOIN wtb_file_commits AS parent ON parent.id = chain.parent_id
), candidate AS (
    SELECT depth, memento.*
    FROM chain CROSS JOIN LATERAL (
        SELECT * FROM wtb_file_mementos
        WHERE commit_id = chain.id AND path > :after AND path >= :prefix
        ORDER BY path LIMIT :at_once
    ) AS memento
)
SELECT DISTINCT ON (path) path, kind, candidate.sha256, size, target, mode, mtime_ns
FROM candidate LEFT JOIN wtb_file_blobs AS blob ON blob.sha256 = candidate.sha256
WHERE path <= ALL (
    SELECT max(path) FROM candidate GROUP BY commit_id HAVING count(*) = :at_once
)
ORDER BY path, depth
""")

# What only one of the two chains has may make a difference, what both have does not.
_DIFFERENCES = text("""
WITH RECURSIVE chain AS (
    SELECT side, id, parent_id, 0 AS depth
    FROM (VALUES ('before', CAST(:before AS uuid)), ('after', CAST(:after AS uuid)))
        AS wanted (side, commit_id)
    JOIN wtb_file_commits ON id = commit_id
    UNION ALL
    SELECT side, parent.id, parent.parent_id, depth + 1
    FROM chain JOIN wtb_file_commits AS parent ON parent.id = chain.parent_id
), own AS (
    SELECT id FROM chain GROUP BY id HAVING count(*) = 1
), candidate AS (
    SELECT own.id, memento.path
    FROM own CROSS JOIN LATERAL (
        SELECT path FROM wtb_file_mementos
        WHERE commit_id = own.id AND path > :behind
            AND (cardinality(CAST(:paths AS text[])) = 0 OR EXISTS (
                SELECT FROM unnest(CAST(:paths AS text[])) AS wanted
                WHERE path = wanted OR starts_with(path, wanted || '/')
            ))
        ORDER BY path LIMIT :at_once
    ) AS memento
), touched AS (
    SELECT DISTINCT path FROM candidate
    WHERE path <= ALL (SELECT max(path) FROM candidate GROUP BY id HAVING count(*) = :at_once)
)
SELECT touched.path, memento.*
FROM touched LEFT JOIN LATERAL (
    SELECT DISTINCT ON (side) side, kind, own.sha256, size, target, mode, mtime_ns
    FROM chain
    JOIN wtb_file_mementos AS own ON own.commit_id = chain.id AND own.path = touched.path
    LEFT JOIN wtb_file_blobs AS blob ON blob.sha256 = own.sha256
    ORDER BY side, depth
) AS memento ON true
ORDER BY touched.path
""")


class PostgresCommittedFiles:
    """Reads commits by paths, in the order of their bytes.

    No connection is held between two pieces: commits never change, and readers may be slow.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def walk(
        self, commit_id: UUID | None, *, prefix: str = "", after: str = "", at_once: int = 1000
    ) -> AsyncGenerator[tuple[str, FileMemento]]:
        """The paths of a commit that begin with a text and follow another one."""
        follows = True
        while follows:
            rows = await self._rows(
                _WALK, commit=commit_id, prefix=prefix, after=after, at_once=at_once
            )
            for row in rows:
                if not row["path"].startswith(prefix):
                    return
                if memento := _memento(row):
                    yield row["path"], memento
            follows = len(rows) >= at_once
            after = rows[-1]["path"] if rows else after

    async def differences(
        self,
        before_id: UUID | None,
        after_id: UUID | None,
        *,
        paths: Collection[str] = (),
        after: str = "",
        at_once: int = 1000,
    ) -> AsyncGenerator[FileDifference]:
        """What differs between two commits, of which None is one without files."""
        wanted = {"before": before_id, "after": after_id, "paths": list(paths), "at_once": at_once}
        follows = True
        while follows:
            rows = await self._rows(_DIFFERENCES, **wanted, behind=after)
            touched: dict[str, dict[str, FileMemento | None]] = {}
            for row in rows:
                touched.setdefault(row["path"], {})[row["side"]] = _memento(row)
            for path, sides in touched.items():
                if found := difference_at(path, sides.get("before"), sides.get("after")):
                    yield found
            follows = len(touched) >= at_once
            after = rows[-1]["path"] if rows else after

    async def _rows(self, query: Any, **values: object) -> Sequence[RowMapping]:  # noqa: ANN401
        async with self._engine.connect() as connection:
            return (await connection.execute(query, values)).mappings().all()


def _memento(row: RowMapping) -> FileMemento | None:
    """The path as the newest commit that touched it has left it; None when it removed it."""
    return memento_of(row) if row["kind"] else None
