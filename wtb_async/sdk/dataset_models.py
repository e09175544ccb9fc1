"""What the REST API answers about datasets, as types."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from wtb_async.sdk.models import Answer


class Dataset(Answer):
    """Named test cases; `version` and `cases` are those of the newest version."""

    id: UUID
    name: str
    description: str = ""
    version: int
    cases: int
    created_at: datetime
    updated_at: datetime


class DatasetVersion(Answer):
    """One state of a dataset, and how its cases differ from those of the version before."""

    version: int
    added: int
    changed: int
    removed: int
    cases: int
    created_by: str
    created_at: datetime


class CaseChanges(Answer):
    """What an import or an edit did; the version is the old one when it changed nothing."""

    dataset_id: UUID
    version: int
    added: int
    changed: int
    removed: int
    cases: int


class TestCase(Answer):
    """One test case; `id` is its author's."""

    __test__ = False  # pytest would take it for a class of tests.

    id: str
    input: dict[str, JsonValue]
    reference: JsonValue = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
