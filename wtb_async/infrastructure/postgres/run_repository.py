"""Runs: claimed, settled and taken over in bulk."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.executions.repositories import Fork
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome, Settlement
from wtb_async.application.runs.groups import Parting, RunGroup
from wtb_async.application.runs.repositories import LostRun, RunChoice, Takeover
from wtb_async.domain.audit import runner_actor
from wtb_async.domain.execution import Breakpoints, ExecutionStatus, Limits
from wtb_async.domain.run import UNCLAIMED, Run, RunStatus
from wtb_async.domain.run_request import RunRequest, StateEdit
from wtb_async.infrastructure.checkpoints.fork import fork_threads
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.bulk import BulkWriter
from wtb_async.infrastructure.postgres.json_text import to_json_text
from wtb_async.infrastructure.postgres.run_statements import (
    CLAIM,
    END_SPLIT,
    HAND_OVER,
    HELD,
    LOCK_GROUPS,
    LOCK_LOST,
    LOCK_MEMBERS,
    MOVE,
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

_OPEN = (*UNCLAIMED, RunStatus.RUNNING)


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

    async def settle(
        self, runner_id: UUID, outcomes: Sequence[RunOutcome], *, actor: str | None = None
    ) -> Settlement:
        """End the runs that this runner still holds, and their executions.

        Their rows are locked in the order of their ids, as by those who change many at once.
        """
        by = actor or runner_actor(runner_id)
        in_order = sorted(outcomes, key=lambda outcome: outcome.run_id)
        columns = zip(*(_outcome_row(outcome) for outcome in in_order), strict=True)
        rows = await self._execute(SETTLE, (runner_id, by, *(list(column) for column in columns)))
        limited = (row["limited_by"] for row in rows)
        return Settlement(
            kept=frozenset(row["id"] for row in rows), limited=frozenset(filter(None, limited))
        )

    async def lock_groups(self, runner_id: UUID, run_ids: Collection[UUID]) -> list[RunGroup]:
        """Those of the runs that this runner still holds, locked with their executions."""
        runs = [Run(**row) for row in await self._execute(LOCK_GROUPS, (runner_id, list(run_ids)))]
        members: dict[UUID, dict[UUID, dict[str, str]]] = {run.id: {} for run in runs}
        for row in await self._execute(LOCK_MEMBERS, (list(members),)):
            members[row["run_id"]][row["id"]] = row["variants"]
        return [RunGroup(run, members[run.id]) for run in runs]

    async def part(self, partings: Sequence[Parting]) -> None:
        """Fork threads, add the runs that go on, and move executions; their runs are locked."""
        connection = await self._session.connection()
        forks = [Fork(thread=each.thread, keeps_writes=each.keeps_writes) for each in partings]
        await fork_threads(connection, forks)
        bulk = BulkWriter()
        runs = [each.run for each in partings if each.run]
        bulk.extend(tables.runs, (_row(run) | {"position": run.position} for run in runs))
        await bulk.flush(connection)
        moves = [
            (execution_id, each.thread.id, each.run.id if each.run else None, each.spent_ms)
            for each in partings
            for execution_id in each.executions
        ]
        columns = (list(column) for column in zip(*moves, strict=True))
        await connection.exec_driver_sql(MOVE, tuple(columns))

    async def end_split(self, run_ids: Collection[UUID]) -> None:
        """End runs whose executions have all gone on with others; they are locked."""
        connection = await self._session.connection()
        await connection.exec_driver_sql(END_SPLIT, (list(run_ids),))

    async def serves_anybody(self, run_id: UUID) -> bool:
        """Whether an execution has this run."""
        served = select(tables.executions.c.id).where(tables.executions.c.run_id == run_id)
        return bool(await self._session.scalar(select(served.exists())))

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

    async def hand_over(self, takeovers: Sequence[Takeover], actor: str) -> None:
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
                actor,
            ),
        )

    async def open_choices(self) -> list[RunChoice]:
        """What executions with a pending or running run have chosen, each choice once."""
        executions, runs = tables.executions.c, tables.runs.c
        query = select(executions.workflow_id, executions.workflow_variant, executions.variants)
        query = query.join(tables.runs, runs.id == executions.run_id)
        rows = await self._session.execute(query.where(runs.status.in_(_OPEN)).distinct())
        return [RunChoice(*row) for row in rows]

    async def assign_pool(self, choice: RunChoice, pool: str) -> None:
        """Let a pool execute the open runs of this choice from their next claim on."""
        executions, runs = tables.executions.c, tables.runs.c
        chosen = select(executions.run_id).where(
            executions.workflow_id == choice.workflow_id,
            executions.workflow_variant.is_not_distinct_from(choice.workflow_variant),
            executions.variants == choice.variants,
        )
        open_elsewhere = (runs.status.in_(_OPEN), runs.pool != pool, runs.id.in_(chosen))
        in_order = select(runs.id).where(*open_elsewhere).order_by(runs.id)
        locked = list(await self._session.scalars(in_order.with_for_update(key_share=True)))
        await self._session.execute(
            update(tables.runs).where(runs.id == func.any(locked)).values(pool=pool)
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
            "gates": tuple(row["gates"]),
        }
    )


def _lost(row: dict[str, Any]) -> LostRun:
    values = dict(row)
    charged = values.pop("charged")
    return LostRun(Run(**values), charged)


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
