"""The record of commands, audit entries and outbox events."""

from wtb_async.domain.audit import OutboxAction
from wtb_async.domain.command import Command, Origin
from wtb_async.domain.events import Change
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.bulk import BulkWriter


class PostgresJournal:
    """Writes commands, audit entries and outbox events with the unit of work's other rows."""

    def __init__(self, bulk: BulkWriter) -> None:
        self._bulk = bulk

    def record(self, *changes: Change, command: Command | None = None) -> None:
        """Write the command, an audit entry and an outbox event per change, at commit."""
        if command is not None:
            self._bulk.add(tables.commands, _command_row(command))
        for change in changes:
            origin = command.origin if command else Origin(actor=change.actor)
            self._bulk.add(tables.outbox, _outbox_row(change))
            self._bulk.add(tables.audit_log, _audit_row(change) | _origin(origin))

    def note(self, action: OutboxAction, command: Command) -> None:
        """Write the command and an audit entry of what it did, which is no event of its target."""
        self._bulk.add(tables.commands, _command_row(command))
        entry = {
            "action": action.value,
            "aggregate": command.target_type,
            "aggregate_id": command.target_id,
            "status_before": None,
            "status_after": None,
        }
        self._bulk.add(tables.audit_log, entry | _origin(command.origin))


def _command_row(command: Command) -> dict[str, object]:
    return {
        "id": command.id,
        "kind": command.kind.value,
        "target_type": command.target_type,
        "target_id": command.target_id,
        "payload": command.payload,
        "issued_by": command.issued_by,
        "request_id": command.request_id,
        "created_at": command.created_at,
    }


def _outbox_row(change: Change) -> dict[str, object]:
    return {
        "aggregate": change.aggregate.value,
        "aggregate_id": change.aggregate_id,
        "sequence": change.version,
        "type": change.event.type,
        "data": change.event.data(),
    }


def _audit_row(change: Change) -> dict[str, object]:
    return {
        "action": change.event.type,
        "aggregate": change.aggregate.value,
        "aggregate_id": change.aggregate_id,
        "status_before": change.status_before,
        "status_after": change.status_after,
    }


def _origin(origin: Origin) -> dict[str, object]:
    return {
        "actor": origin.actor,
        "command_id": origin.command_id,
        "request_id": origin.request_id,
    }
