"""The executions of a batch test, changed together."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from wtb_async.application.batches.repositories import Continuation, RestingExecution
from wtb_async.domain.command import Origin
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.run import RunStatus
from wtb_async.domain.run_request import RequestKind, RunRequest
from wtb_async.infrastructure.postgres.batch_control_statements import (
    CONTINUE,
    LET_GO,
    LOCK_BATCHES,
    LOCK_RESTING,
    PAUSE,
    RELEASE,
    STOP,
    WITH_WAITING_RUNS,
)
from wtb_async.infrastructure.postgres.scoring_statements import FORGET_PREFERENCES

_PAUSE_REQUEST = json.dumps(RunRequest(kind=RequestKind.PAUSE, of_batch=True).to_json())
_STOP_REQUEST = json.dumps(RunRequest(kind=RequestKind.STOP, of_batch=True).to_json())


class PostgresBatchExecutionRepository:
    """Statements on all executions of a batch test and their runs."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def pause(self, batch_id: UUID, origin: Origin) -> None:
        """Hold back the runs that no runner has, and have the others paused."""
        await self._repeat(PAUSE, (batch_id, *_recorded(origin), _PAUSE_REQUEST))

    async def let_go(self, batch_id: UUID) -> None:
        """Give back the runs that were held, and take back what was asked of the others."""
        connection = await self._session.connection()
        await connection.exec_driver_sql(LET_GO, (batch_id,))

    async def stop(self, batch_id: UUID, origin: Origin) -> None:
        """Cancel the executions that no runner has, and have the others stopped."""
        await self._repeat(STOP, (batch_id, *_recorded(origin), _STOP_REQUEST))

    async def lock_resting(
        self, batch_id: UUID, statuses: Collection[ExecutionStatus]
    ) -> list[RestingExecution]:
        """The executions in these statuses, in the order in which their last runs were accepted.

        Of those that are paused only the ones that the batch paused.
        """
        names = [status.value for status in statuses]
        return [_resting(row) for row in await self._execute(LOCK_RESTING, (batch_id, names))]

    async def continue_(
        self,
        batch_id: UUID,
        continuations: Sequence[Continuation],
        origin: Origin,
        *,
        at: datetime,
    ) -> None:
        """Give executions their next runs; what was said of their earlier outcomes is forgotten."""
        columns = (
            [each.execution_id for each in continuations],
            [each.run_id for each in continuations],
            [each.thread_id for each in continuations],
        )
        await self._execute(CONTINUE, (batch_id, *_recorded(origin), at, *columns))
        await self._session.execute(text(FORGET_PREFERENCES), {"execution_ids": columns[0]})

    async def release(self, batch_ids: Collection[UUID]) -> set[str]:
        """Let as many waiting runs of each batch be claimed as there are places for them.

        Answers the pools of the runs that were released.
        """
        return await release_runs(await self._session.connection(), batch_ids)

    async def with_waiting_runs(self) -> list[UUID]:
        """The batches of which runs wait for a place."""
        return [row["id"] for row in await self._execute(WITH_WAITING_RUNS, ())]

    async def _repeat(self, statement: str, parameters: tuple[Any, ...]) -> None:
        """Execute until nothing is found: a run may have been taken over at the same moment."""
        while (await self._execute(statement, parameters))[0]["found"]:
            pass

    async def _execute(self, statement: str, parameters: tuple[Any, ...]) -> list[RowMapping]:
        connection = await self._session.connection()
        result = await connection.exec_driver_sql(statement, parameters)
        return list(result.mappings())


async def release_runs(connection: AsyncConnection, batch_ids: Collection[UUID]) -> set[str]:
    """Make waiting runs of limited batches pending, up to their limits; answers their pools."""
    ids = (list(batch_ids),)
    await connection.exec_driver_sql(LOCK_BATCHES, ids)
    released = await connection.exec_driver_sql(RELEASE, ids)
    return set(released.scalars())


def _recorded(origin: Origin) -> tuple[str, UUID | None, str | None]:
    return origin.actor, origin.command_id, origin.request_id


def _resting(row: RowMapping) -> RestingExecution:
    return RestingExecution(
        **{
            **row,
            "status": ExecutionStatus(row["status"]),
            "run_status": RunStatus(row["run_status"]),
        }
    )
