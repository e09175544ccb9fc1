"""The record of commands, audit entries and outbox events."""

from wtb_async.domain.command import Command
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
            self._bulk.add(tables.outbox, _outbox_row(change))
            self._bulk.add(tables.audit_log, _audit_row(change))


def _command_row(command: Command) -> dict[str, object]:
    return {
        "id": command.id,
        "kind": command.kind.value,
        "target_type": command.target_type,
        "target_id": command.target_id,
        "payload": command.payload,
        "issued_by": command.issued_by,
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
        "actor": change.actor,
        "action": change.event.type,
        "aggregate": change.aggregate.value,
        "aggregate_id": change.aggregate_id,
        "status_before": change.status_before,
        "status_after": change.status_after,
        "command_id": change.command_id,
    }
