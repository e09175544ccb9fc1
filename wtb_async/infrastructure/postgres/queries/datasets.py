"""Datasets, their versions and their cases as readers see them."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Text, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.datasets.views import DatasetVersionView, DatasetView, TestCaseView
from wtb_async.application.views import Page
from wtb_async.domain.errors import NotFound, PermanentError
from wtb_async.infrastructure.datasets.writing import WrittenCase
from wtb_async.infrastructure.postgres.queries.identity import named_or_id
from wtb_async.infrastructure.postgres.queries.paging import (
    newest_first,
    page_of,
    read_cursor,
    write_cursor,
)
from wtb_async.infrastructure.postgres.tables import dataset_versions, datasets, test_cases

_CASE = (
    test_cases.c.key.label("id"),
    test_cases.c.input,
    test_cases.c.reference,
    test_cases.c.metadata,
)
_WRITTEN = (
    test_cases.c.position,
    test_cases.c.key,
    cast(test_cases.c.input, Text).label("input"),
    cast(test_cases.c.reference, Text).label("reference"),
    cast(test_cases.c.metadata, Text).label("metadata"),
)
_VERSION = [column for column in dataset_versions.c if column.name != "dataset_id"]
_CHUNK = 1000


class DatasetQueries:
    """Reads `wtb_datasets`, `wtb_dataset_versions` and the cases in `wtb_test_cases`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, name_or_id: str | UUID) -> DatasetView:
        """One dataset. Raises NotFound."""
        query = select(datasets).where(named_or_id(datasets, name_or_id))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound("dataset", name_or_id)
        return DatasetView(**row)

    async def list(self, *, limit: int, cursor: str | None) -> Page[DatasetView]:
        """Datasets, newest first."""
        query = newest_first(select(datasets), datasets.c.id, limit=limit, cursor=cursor)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return page_of(rows, lambda row: DatasetView(**row), limit=limit)

    async def at_version(
        self, name_or_id: str | UUID, version: int | None
    ) -> tuple[DatasetView, DatasetVersionView]:
        """A dataset and one version of it, the newest for None. Raises NotFound."""
        dataset = await self.get(name_or_id)
        wanted = dataset.version if version is None else version
        query = select(*_VERSION).where(
            dataset_versions.c.dataset_id == dataset.id, dataset_versions.c.version == wanted
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound(f"version of dataset {dataset.name!r}", wanted)
        return dataset, DatasetVersionView(**row)

    async def versions(
        self, dataset_id: UUID, *, limit: int, cursor: str | None
    ) -> Page[DatasetVersionView]:
        """The versions of a dataset, newest first."""
        query = select(*_VERSION).where(dataset_versions.c.dataset_id == dataset_id)
        if cursor is not None:
            query = query.where(dataset_versions.c.version < _place(cursor)[1])
        query = query.order_by(dataset_versions.c.version.desc()).limit(limit + 1)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        shown = [DatasetVersionView(**row) for row in rows[:limit]]
        follows = len(rows) > limit
        return Page(shown, write_cursor(UUID(int=shown[-1].version)) if follows else None)

    async def cases(
        self, dataset_id: UUID, version: int, *, limit: int, cursor: str | None
    ) -> Page[TestCaseView]:
        """The cases of a version, in order; a walk stays with the version that it began with."""
        version, after = (version, 0) if cursor is None else _place(cursor)
        query = (
            select(test_cases.c.position, *_CASE)
            .where(*_in_version(dataset_id, version), test_cases.c.position > after)
            .order_by(test_cases.c.position)
            .limit(limit + 1)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        shown = rows[:limit]
        follows = len(rows) > limit
        following = _cursor(version, shown[-1]["position"]) if follows else None
        return Page([_case(row) for row in shown], following)

    async def case(self, dataset_id: UUID, version: int, key: str) -> TestCaseView:
        """One case of a version. Raises NotFound."""
        query = select(*_CASE).where(*_in_version(dataset_id, version), test_cases.c.key == key)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise NotFound("test case", key)
        return TestCaseView(**row)

    async def written(
        self, dataset_id: UUID, version: DatasetVersionView
    ) -> AsyncIterator[Sequence[WrittenCase]]:
        """The cases of a version as JSON texts, in order, in chunks.

        No connection is held between two chunks: a version never changes, and readers may be slow.
        Raises PermanentError when the dataset was deleted meanwhile.
        """
        after, count = 0, 0
        while count < version.cases:
            query = (
                select(*_WRITTEN)
                .where(*_in_version(dataset_id, version.version), test_cases.c.position > after)
                .order_by(test_cases.c.position)
                .limit(_CHUNK)
            )
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
            if not rows:
                raise PermanentError("the dataset was deleted while it was read")
            yield [WrittenCase(*row[1:]) for row in rows]
            after, count = rows[-1].position, count + len(rows)


def _in_version(dataset_id: UUID, version: int) -> tuple[ColumnElement[bool], ...]:
    until = test_cases.c.until_version
    return (
        test_cases.c.dataset_id == dataset_id,
        test_cases.c.since_version <= version,
        or_(until.is_(None), until > version),
    )


def _cursor(version: int, position: int) -> str:
    """A place in a walk: version and position in the one number that a cursor holds."""
    return write_cursor(UUID(int=version << 64 | position))


def _place(cursor: str) -> tuple[int, int]:
    version, position = divmod(read_cursor(cursor).int, 1 << 64)
    return min(version, _MAX_INTEGER), min(position, _MAX_INTEGER)


_MAX_INTEGER = 2**31 - 1
"""No version and no position is larger; a cursor that somebody made up may be."""


def _case(row: RowMapping) -> TestCaseView:
    return TestCaseView(**{name: row[name] for name in ("id", "input", "reference", "metadata")})
