"""The audit trail as readers see it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.domain.audit import Severity
from wtb_async.domain.command import CommandKind
from wtb_async.domain.events import Aggregate


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntryView:
    """Who did what to which object, when, and from which status to which.

    Where a caller asked for it: by which command, and in which request.
    """

    id: int
    at: datetime
    severity: Severity
    action: str
    caller: str
    target_type: Aggregate
    target_id: UUID
    status_before: str | None
    status_after: str | None
    command: CommandKind | None
    command_id: UUID | None
    request_id: str | None
