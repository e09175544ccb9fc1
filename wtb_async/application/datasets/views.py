"""Datasets and their cases as readers see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.domain.dataset import CaseChanges, Dataset
from wtb_async.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """Named test cases; `version` and `cases` are those of the newest version."""

    id: UUID
    name: str
    description: str
    version: int
    cases: int
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVersionView:
    """One state of a dataset, and how its cases differ from those of the version before."""

    version: int
    added: int
    changed: int
    removed: int
    cases: int
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChangesView:
    """What an import or an edit did; the version is the old one when it changed nothing."""

    dataset_id: UUID
    version: int
    added: int
    changed: int
    removed: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCaseView:
    """One test case; `id` is its author's."""

    __test__ = False  # pytest would take it for a class of tests.

    id: str
    input: JsonObject
    reference: JsonValue
    metadata: JsonObject


def view_of_dataset(dataset: Dataset) -> DatasetView:
    """A dataset as readers see it."""
    return DatasetView(
        id=dataset.id,
        name=dataset.name,
        description=dataset.description,
        version=dataset.version,
        cases=dataset.cases,
        created_by=dataset.created_by,
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
    )


def view_of_changes(dataset: Dataset, changes: CaseChanges) -> CaseChangesView:
    """What was done to a dataset's cases."""
    return CaseChangesView(
        dataset_id=dataset.id,
        version=dataset.version,
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
        cases=dataset.cases,
    )
