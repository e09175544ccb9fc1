"""Runs: claimed, settled and taken over in bulk."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.ports import Fork, LostRun, Takeover
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.domain.execution import Breakpoints, ExecutionStatus, Limits
from wtb_async.domain.run import Run, RunStatus
from wtb_async.domain.run_request import RunRequest, StateEdit
from wtb_async.infrastructure.checkpoints.fork import fork_threads
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.json_text import to_json_text
from wtb_async.infrastructure.postgres.run_statements import (
    CLAIM,
    HAND_OVER,
    HELD,
    LOCK_LOST,
    REQUESTS,
    SETTLE,
)

_EXECUTION_STATUS = {
    RunStatus.COMPLETED: ExecutionStatus.COMPLETED,
    RunStatus.FAILED: ExecutionStatus.FAILED,
    RunStatus.PAUSED: ExecutionStatus.PAUSED,
    RunStatus.CANCELLED: ExecutionStatus.CANCELLED,
    RunStatus.LOST: ExecutionStatus.FAILED,
}
"""What an execution becomes when its run ends; a lost run that is settled has no attempt left."""


class PostgresRunRepository:
    """Statements on `wtb_runs` and the executions they work for."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, run: Run) -> None:
        """Insert a run; its thread exists."""
        bulk = BulkWriter()
        bulk.add(tables.runs, _row(run))
        await bulk.flush(await self._session.connection())

    async def claim_pending(self, runner_id: UUID, pool: str, limit: int) -> list[ClaimedRun]:
        """Give this runner up to `limit` pending runs, oldest first, and start their executions."""
        rows = await self._execute(CLAIM, (runner_id, pool, limit))
        return [_claimed(row) for row in rows]

    async def settle(self, runner_id: UUID, outcomes: Sequence[RunOutcome]) -> set[UUID]:
        """End runs and their executions; answers the ids of those this runner still held."""
        columns = zip(*(_outcome_row(outcome) for outcome in outcomes), strict=True)
        rows = await self._execute(SETTLE, (runner_id, *(list(column) for column in columns)))
        return {row["id"] for row in rows}

    async def held_by(self, runner_id: UUID, but: Collection[UUID]) -> list[ClaimedRun]:
        """The runs that this runner has claimed and not settled, without those in `but`."""
        rows = await self._execute(HELD, (runner_id, list(but)))
        return [_claimed(row) for row in rows]

    async def requests(self, runner_id: UUID) -> dict[UUID, RunRequest]:
        """What is asked of the runs that this runner holds."""
        rows = await self._execute(REQUESTS, (runner_id,))
        return {row["id"]: RunRequest.from_json(row["request"]) for row in rows}

    async def lock_of_lost_runners(self) -> list[LostRun]:
        """The running runs whose runner lives no more, locked; those locked already are left."""
        rows = await self._execute(LOCK_LOST, ())
        return [_lost(row) for row in rows]

    async def hand_over(self, takeovers: Sequence[Takeover]) -> None:
        """Fork each lost run's thread at its head and point its execution at the successor."""
        connection = await self._session.connection()
        await fork_threads(connection, [Fork(thread=t.thread) for t in takeovers])
        bulk = BulkWriter()
        bulk.extend(tables.runs, (_row(t.successor) for t in takeovers))
        await bulk.flush(connection)
        await connection.exec_driver_sql(
            HAND_OVER,
            (
                [t.lost.run.id for t in takeovers],
                [t.successor.id for t in takeovers],
                [t.thread.id for t in takeovers],
                [t.successor.attempt for t in takeovers],
                [t.successor.pool for t in takeovers],
            ),
        )

    async def pending_count(self, pool: str) -> int:
        """How many runs wait for a runner of this pool."""
        runs = tables.runs
        query = select(func.count()).where(runs.c.status == RunStatus.PENDING, runs.c.pool == pool)
        return int(await self._session.scalar(query) or 0)

    async def _execute(self, statement: str, parameters: tuple[Any, ...]) -> list[Any]:
        connection = await self._session.connection()
        result = await connection.exec_driver_sql(statement, parameters)
        return list(result.mappings())


_RUN = tuple(field.name for field in fields(Run) if field.name != "position")


def _row(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in _RUN}


def _claimed(row: RowMapping) -> ClaimedRun:
    edit, request = row["edit"], row["request"]
    return ClaimedRun(
        **{
            **row,
            "limits": Limits(**row["limits"]),
            "edit": StateEdit.from_json(edit) if edit else None,
            "request": RunRequest.from_json(request) if request else None,
            "breakpoints": Breakpoints.from_json(row["breakpoints"]),
            "stream": tuple(row["stream"]),
        }
    )


def _lost(row: dict[str, Any]) -> LostRun:
    values = dict(row)
    execution_id, charged = values.pop("execution_id"), values.pop("charged")
    return LostRun(Run(**values), execution_id, charged)


def _outcome_row(outcome: RunOutcome) -> tuple[Any, ...]:
    event = outcome.event()
    return (
        outcome.run_id,
        outcome.status.value,
        _EXECUTION_STATUS[outcome.status].value,
        to_json_text(outcome.output) if outcome.output is not None else None,
        to_json_text(outcome.error.to_json()) if outcome.error else None,
        outcome.pause_reason.value if outcome.pause_reason else None,
        outcome.checkpoint_id,
        to_json_text(list(outcome.next_nodes)),
        to_json_text(list(outcome.interrupts)),
        outcome.duration_ms,
        event.type,
        to_json_text(event.data()),
    )
