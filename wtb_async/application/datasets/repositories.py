"""What datasets need from the database."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from wtb_async.domain.dataset import CaseChanges, Dataset, DatasetVersion, ImportMode, IncomingCase
from wtb_async.domain.errors import Violation


class DatasetRepository(Protocol):
    """Datasets and the record of their versions."""

    def add(self, dataset: Dataset) -> None:
        """Keep a new dataset; its name must be free when the unit of work commits."""

    def add_version(self, version: DatasetVersion) -> None:
        """Record a version when the unit of work commits."""

    async def get(self, name_or_id: str | UUID, *, for_update: bool = False) -> Dataset:
        """The dataset; nobody else changes it or its cases meanwhile. Raises NotFound."""

    async def batch_tests_on(self, dataset_id: UUID) -> int:
        """How many batch tests ran or run on the dataset."""

    async def delete(self, dataset: Dataset) -> None:
        """Remove it with its versions and cases."""


class TestCaseRepository(Protocol):
    """The cases of datasets; a row holds from one version until another and is never changed.

    New cases are staged first, in as many chunks as there are, and then taken over at once.
    """

    async def stage(self, cases: Sequence[IncomingCase]) -> None:
        """Put cases beside the table, for this transaction only."""

    async def problems(self, dataset_id: UUID, mode: ImportMode, limit: int) -> list[Violation]:
        """Which staged cases cannot be taken over: the id comes twice, or is taken."""

    async def take_staged(self, dataset_id: UUID, version: int, mode: ImportMode) -> CaseChanges:
        """Make the staged cases cases of the dataset from this version on.

        A case that is as it was before goes on without a change.
        """

    async def has(self, dataset_id: UUID, key: str) -> bool:
        """Whether the newest version has a case with this id."""

    async def end(self, dataset_id: UUID, key: str, version: int) -> bool:
        """Let a case end with this version; False when there is none."""

    async def choose(self, dataset_id: UUID, version: int, limit: int | None) -> list[UUID]:
        """The cases of a version, in order; with a limit those that `sampled` would choose."""
