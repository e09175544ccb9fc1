"""The audit trail as readers see it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.application.audit.views import AuditEntryView
from wtb_async.application.views import Page
from wtb_async.domain.audit import NOTABLE, Severity, severity_of
from wtb_async.domain.command import CommandKind
from wtb_async.infrastructure.postgres.queries.paging import newest_first, page_of
from wtb_async.infrastructure.postgres.tables import audit_log, commands, executions

_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries to read; what is None does not restrict."""

    execution: UUID | None = None
    batch: UUID | None = None
    """Its own entries, and those of its executions."""
    caller: str | None = None
    kind: CommandKind | None = None
    """The command that brought them."""
    action: str | None = None
    severity: Severity | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditQueries:
    """Reads `wtb_audit_log`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(
        self, wanted: AuditFilter, *, limit: int, cursor: str | None
    ) -> Page[AuditEntryView]:
        """Entries, newest first."""
        query = _select().where(*_conditions(wanted))
        query = newest_first(query, audit_log.c.id, limit=limit, cursor=cursor)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return page_of(rows, _view, limit=limit)

    async def walk(self, wanted: AuditFilter) -> AsyncIterator[Sequence[AuditEntryView]]:
        """All entries, newest first, in chunks; no connection is held between two of them."""
        cursor: str | None = None
        while True:
            page = await self.list(wanted, limit=_CHUNK, cursor=cursor)
            yield page.items
            cursor = page.next_cursor
            if cursor is None:
                return


def _select() -> Select[Any]:
    return select(audit_log, commands.c.kind.label("command")).outerjoin(
        commands, commands.c.id == audit_log.c.command_id
    )


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    table = audit_log.c
    conditions: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "execution": lambda value: table.aggregate_id == value,
        "batch": _of_batch,
        "caller": lambda value: table.actor == value,
        "kind": lambda value: commands.c.kind == value,
        "action": lambda value: table.action == value,
        "severity": _of_severity,
        "since": lambda value: table.created_at >= value,
        "until": lambda value: table.created_at < value,
    }
    return [
        condition(value)
        for name, condition in conditions.items()
        if (value := getattr(wanted, name)) is not None
    ]


def _of_batch(batch_id: UUID) -> ColumnElement[bool]:
    members = select(executions.c.id).where(executions.c.batch_test_id == batch_id)
    return audit_log.c.aggregate_id.in_(union_all(members, select(literal(batch_id))))


def _of_severity(severity: Severity) -> ColumnElement[bool]:
    if severity in NOTABLE:
        return audit_log.c.action.in_(NOTABLE[severity])
    return audit_log.c.action.not_in(frozenset().union(*NOTABLE.values()))


def _view(row: RowMapping) -> AuditEntryView:
    return AuditEntryView(
        id=row["id"],
        at=row["created_at"],
        severity=severity_of(row["action"]),
        action=row["action"],
        caller=row["actor"],
        target_type=row["aggregate"],
        target_id=row["aggregate_id"],
        status_before=row["status_before"],
        status_after=row["status_after"],
        command=row["command"],
        command_id=row["command_id"],
        request_id=row["request_id"],
    )
