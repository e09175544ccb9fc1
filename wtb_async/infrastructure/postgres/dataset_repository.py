"""Datasets as aggregates, and the record of their versions."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.domain.dataset import Dataset, DatasetVersion
from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.queries.identity import named_or_id


class PostgresDatasetRepository:
    """Loads and keeps datasets through the session."""

    def __init__(self, session: AsyncSession, bulk: BulkWriter) -> None:
        self._session = session
        self._bulk = bulk

    def add(self, dataset: Dataset) -> None:
        """Keep a new dataset."""
        self._session.add(dataset)

    def add_version(self, version: DatasetVersion) -> None:
        """Record a version when the unit of work commits."""
        self._bulk.add(tables.dataset_versions, asdict(version))

    async def get(self, name_or_id: str | UUID, *, for_update: bool = False) -> Dataset:
        """The dataset, locked for a change if that is wanted. Raises NotFound."""
        query = select(Dataset).where(named_or_id(tables.datasets, name_or_id))
        found = await self._session.scalar(query.with_for_update() if for_update else query)
        if found is None:
            raise NotFound("dataset", name_or_id)
        return found

    async def batch_tests_on(self, dataset_id: UUID) -> int:
        """How many batch tests ran or run on the dataset."""
        used = select(func.count()).where(tables.batch_tests.c.dataset_id == dataset_id)
        return await self._session.scalar(used) or 0

    async def delete(self, dataset: Dataset) -> None:
        """Remove it with its versions and cases."""
        await self._session.delete(dataset)
