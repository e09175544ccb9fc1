"""`/audit`: who did what to which object."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from wtb_async.domain.audit import Severity
from wtb_async.sdk.connection import Connection, Id, Parameters, path_of
from wtb_async.sdk.models import Answer


class AuditEntry(Answer):
    """Who did what to which object, and, where somebody asked for it, by which command."""

    id: int
    at: datetime
    severity: Severity
    action: str
    caller: str
    target_type: str
    target_id: UUID
    status_before: str | None = None
    status_after: str | None = None
    command: str | None = None
    command_id: UUID | None = None
    request_id: str | None = None


class EntryFilter(TypedDict, total=False):
    """Which entries; what is left out does not restrict. Times have a time zone."""

    caller: str | None
    kind: str | None
    """Only what this kind of command did: `stop`, `rollback`, ..."""
    action: str | None
    severity: str | None
    since: datetime | None
    until: datetime | None


class TrailFilter(EntryFilter, total=False):
    """Which entries of the whole trail."""

    execution: Id | None
    batch: Id | None
    """A batch test with its executions."""


class Audit:
    """The audit trail of a server, newest first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self, *, page_size: int = 100, **wanted: Unpack[TrailFilter]
    ) -> AsyncIterator[AuditEntry]:
        """Walk the entries."""
        path = path_of("audit", "events")
        return self._connection.pages(AuditEntry, path, _given(wanted), page_size=page_size)

    def of_execution(
        self, execution_id: Id, *, page_size: int = 100, **wanted: Unpack[EntryFilter]
    ) -> AsyncIterator[AuditEntry]:
        """Walk the entries of one execution; refused when there is none."""
        path = path_of("executions", execution_id, "audit")
        return self._connection.pages(AuditEntry, path, _given(wanted), page_size=page_size)

    def export(self, **wanted: Unpack[TrailFilter]) -> AsyncIterator[bytes]:
        """Read all entries as a JSONL file, piece by piece."""
        parameters = {**_given(wanted), "format": "jsonl"}
        return self._connection.download(path_of("audit", "events"), parameters)


def _given(wanted: EntryFilter) -> Parameters:
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in wanted.items()
        if value is not None
    }
