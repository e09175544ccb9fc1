"""Runners and their leases, on the database's clock."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Update, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.domain.run import RUNNER_TRANSITIONS, Runner, RunnerStatus
from wtb_async.infrastructure.postgres.tables import runners


class PostgresRunnerRepository:
    """Statements on `wtb_runners`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def register(self, runner: Runner) -> None:
        """Begin a new life of a runner, its lease counted from now."""
        await self._session.execute(
            insert(runners).values(
                id=runner.id,
                name=runner.name,
                pool=runner.pool,
                host=runner.host,
                pid=runner.pid,
                slots=runner.slots,
                status=runner.status,
                started_at=func.clock_timestamp(),
                heartbeat_at=func.clock_timestamp(),
            )
        )

    async def beat(self, runner_id: UUID) -> bool:
        """Renew the lease; False when it was lost already."""
        renewed = await self._session.execute(
            update(runners)
            .where(runners.c.id == runner_id, runners.c.status == RunnerStatus.ALIVE)
            .values(heartbeat_at=func.clock_timestamp())
            .returning(runners.c.id)
        )
        return renewed.scalar() is not None

    async def lose_silent(self, lease_seconds: float) -> list[Runner]:
        """Mark the runners lost whose last heartbeat is older than the lease."""
        return await self._lose(_losing().where(runners.c.heartbeat_at < _before(lease_seconds)))

    async def living(self, lease_seconds: float) -> list[str]:
        """The names of the runners whose lease stands."""
        query = select(runners.c.name).where(
            runners.c.status == RunnerStatus.ALIVE,
            runners.c.heartbeat_at >= _before(lease_seconds),
        )
        return list(await self._session.scalars(query))

    async def lose_earlier_lives(self, name: str, but: UUID) -> list[Runner]:
        """Mark earlier lives of this runner lost: a name has one living process."""
        return await self._lose(_losing().where(runners.c.name == name, runners.c.id != but))

    async def silent(self, pool: str) -> list[str]:
        """The names whose newest life was lost: nobody has heard of them since."""
        newest = (
            select(runners.c.name, runners.c.status)
            .where(runners.c.pool == pool)
            .distinct(runners.c.name)
            .order_by(runners.c.name, runners.c.started_at.desc())
            .subquery()
        )
        lost = select(newest.c.name).where(newest.c.status == RunnerStatus.LOST)
        return list(await self._session.scalars(lost))

    async def note_alone(self, runner_id: UUID, run_id: UUID | None) -> None:
        """Say which run is being executed alone, or that none is any more."""
        await self._session.execute(
            update(runners).where(runners.c.id == runner_id).values(alone_run_id=run_id)
        )

    async def stop(self, runner_id: UUID) -> bool:
        """End the lease in good order; False when it was lost already."""
        stopped = await self._session.execute(
            update(runners)
            .where(runners.c.id == runner_id, runners.c.status == RunnerStatus.ALIVE)
            .values(status=RunnerStatus.STOPPED)
            .returning(runners.c.id)
        )
        return stopped.scalar() is not None

    async def _lose(self, statement: Update) -> list[Runner]:
        rows = await self._session.execute(statement.returning(*runners.c))
        return [Runner(**row) for row in rows.mappings()]


def _before(seconds: float) -> ColumnElement[datetime]:
    return func.clock_timestamp() - text(f"interval '{float(seconds)} seconds'")


def _losing() -> Update:
    sources = RUNNER_TRANSITIONS.sources(RunnerStatus.LOST)
    return update(runners).where(runners.c.status.in_(sources)).values(status=RunnerStatus.LOST)
