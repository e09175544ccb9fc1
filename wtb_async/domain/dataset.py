"""Dataset: named test cases that many batch tests share, with all of their history."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.errors import Violation
from wtb_async.domain.json import JsonObject, JsonValue

MAX_KEY_LENGTH = 200
"""Characters in the caller's own id of a test case."""


class CaseFormat(StrEnum):
    """How a file holds test cases."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return f"{'text' if self is CaseFormat.CSV else 'application'}/{self.value}"


class ImportMode(StrEnum):
    """What becomes of the cases that a dataset has already."""

    APPEND = "append"
    """They stay; an id that is taken is an error."""
    UPSERT = "upsert"
    """They stay; one whose id comes again is replaced, in its place."""
    REPLACE = "replace"
    """Only what is imported remains, in that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContent:
    """A test case as its author wrote it."""

    key: str
    """The caller's own id of the case."""
    input: JsonObject
    reference: JsonValue = None
    metadata: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IncomingCase:
    """A test case on its way into a dataset, and where it stands in what was sent."""

    place: str
    """`line.17` of a file, `item.17` of a JSON list; both count from 1."""
    content: CaseContent


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no test case, and why; the fields begin with its place: `line.17.input`."""

    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChanges:
    """How the cases of two versions differ."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def sampled(keys: Sequence[str], limit: int | None) -> list[int]:
    """Choose so many cases by their ids; answers their positions, in order.

    The choice looks random but depends on the ids alone: batch tests of any versions with the same
    limit run the same cases as far as these are there, and a larger limit adds to a smaller one.
    """
    positions = range(len(keys))
    if limit is None:
        return list(positions)
    by_hash = sorted(positions, key=lambda at: hashlib.sha256(keys[at].encode()).digest())
    return sorted(by_hash[:limit])


@dataclass(eq=False, kw_only=True)
class DatasetVersion:
    """A state of a dataset, which stays readable."""

    dataset_id: UUID
    version: int
    added: int
    changed: int
    removed: int
    cases: int
    """How many there are in this version."""
    created_by: str
    created_at: datetime


@dataclass(eq=False, kw_only=True)
class Dataset:
    """A name for test cases; every change of it or of its cases makes a new version."""

    id: UUID
    name: str
    description: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int = 1
    cases: int = 0
    """How many there are in the newest version."""

    def first_version(self) -> DatasetVersion:
        """The version of a new dataset: no cases."""
        return self._version(CaseChanges(), self.created_by)

    def describe(
        self, *, name: str | None, description: str | None, by: str, at: datetime
    ) -> DatasetVersion:
        """Give it another name or description; what is None stays."""
        self.name = self.name if name is None else name
        self.description = self.description if description is None else description
        return self.change_cases(CaseChanges(), by=by, at=at)

    def change_cases(self, changes: CaseChanges, *, by: str, at: datetime) -> DatasetVersion:
        """Note what was done to the cases."""
        self.version += 1
        self.updated_at = at
        self.cases += changes.added - changes.removed
        return self._version(changes, by)

    def _version(self, changes: CaseChanges, by: str) -> DatasetVersion:
        return DatasetVersion(
            dataset_id=self.id,
            version=self.version,
            added=changes.added,
            changed=changes.changed,
            removed=changes.removed,
            cases=self.cases,
            created_by=by,
            created_at=self.updated_at,
        )
