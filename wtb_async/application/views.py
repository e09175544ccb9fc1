"""What readers see of any subject: frozen values in the shapes of the REST API.

Each subject has its own in the `views.py` of its folder; no aggregate is loaded for them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from wtb_async.domain.json import JsonObject

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `next_cursor` is None on the last."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One fact of an event stream; `id` is the sequence in its object's history, from 1."""

    id: int
    type: str
    at: datetime
    execution_id: UUID | None
    batch_test_id: UUID | None
    data: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEventView:
    """What a run showed of its graph; `id` is `{version}-{n}`, the n-th event of a run.

    The version is that of the `ExecutionStarted` which began the run.
    """

    id: str
    type: str
    at: datetime
    execution_id: UUID
    data: JsonObject
