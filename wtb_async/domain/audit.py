"""The audit trail: who did what to which object, and how serious that is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.batch_events import (
    BatchCancelled,
    BatchFailed,
    BatchGivenUp,
    BatchStopRequested,
)
from wtb_async.domain.events import (
    Aggregate,
    ExecutionCancelled,
    ExecutionFailed,
    ExecutionStopRequested,
    ExecutionTakenOver,
    RunnerLost,
)
from wtb_async.domain.integrity_events import FindingsRepaired, IntegrityCheckFailed


class OutboxAction(StrEnum):
    """What happens to an event itself, which is no event of its object."""

    BURIED = "EventBuried"
    """It could not be delivered, and is a dead letter now."""
    REPLAYED = "EventReplayed"
    """Somebody has had a dead letter delivered after all."""
    VERIFICATION_FAILED = "VerificationFailed"
    """What it promised is not so."""


class Severity(StrEnum):
    """How much an entry of the audit trail wants to be looked at."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


NOTABLE: dict[Severity, frozenset[str]] = {
    Severity.WARNING: frozenset(
        event.__name__
        for event in (
            ExecutionTakenOver,
            ExecutionStopRequested,
            ExecutionCancelled,
            BatchStopRequested,
            BatchCancelled,
            FindingsRepaired,
        )
    ),
    Severity.ERROR: frozenset(
        {
            *(e.__name__ for e in (ExecutionFailed, BatchGivenUp, BatchFailed, RunnerLost)),
            *(IntegrityCheckFailed.__name__, OutboxAction.VERIFICATION_FAILED.value),
            OutboxAction.BURIED.value,
        }
    ),
}
"""The actions that are more than ordinary; every other one is `info`."""


def severity_of(action: str) -> Severity:
    """How serious an action is."""
    found = (severity for severity, actions in NOTABLE.items() if action in actions)
    return next(found, Severity.INFO)


def runner_actor(runner_id: UUID) -> str:
    """The name under which a runner acts."""
    return f"runner:{runner_id}"


@dataclass(eq=False, kw_only=True)
class AuditEntry:
    """Who changed what, when, from which status to which, and at whose request."""

    id: int
    actor: str
    action: str
    aggregate: Aggregate
    aggregate_id: UUID
    status_before: str | None
    status_after: str | None
    command_id: UUID | None
    request_id: str | None
    created_at: datetime
