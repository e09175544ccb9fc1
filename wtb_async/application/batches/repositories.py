"""What the cases of batch tests need from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from wtb_async.domain.batch_test import TestCase
from wtb_async.domain.dataset import CaseContent


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """A case among those that were given which a batch test has not, or has otherwise."""

    place: int
    """Among the given ones, from 0."""
    key: str
    is_changed: bool
    """The batch test has a case of this id, but it reads differently."""


class BatchCaseRepository(Protocol):
    """The cases that batch tests run, their own and those of datasets."""

    def add(self, cases: Sequence[TestCase]) -> None:
        """Insert cases of a batch test's own when the unit of work commits."""

    async def of_batch(self, batch_id: UUID) -> list[UUID]:
        """The cases that the batch test has executions of, in order."""

    async def differences(self, batch_id: UUID, case_ids: Sequence[UUID]) -> list[CaseDifference]:
        """How these cases of a dataset differ from those that the batch test has."""

    async def differences_of_contents(
        self, batch_id: UUID, contents: Sequence[CaseContent]
    ) -> list[CaseDifference]:
        """How cases that nobody has kept yet differ from those that the batch test has."""
