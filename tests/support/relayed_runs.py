"""What a runner and a relay do, without a graph: executions end, and streams hear of it."""

from uuid import UUID

from arranging import claim, completed, register_runner, settle
from redis.asyncio import Redis

from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.redis.nudges import RelaySignals


async def run_to_the_end(served: Database, redis: Redis, *execution_ids: UUID) -> None:
    """Claim and complete executions; whatever else is pending is claimed and left."""
    runner = await register_runner(served.unit_of_work)
    claimed = await claim(served.unit_of_work, runner)
    mine = [run for run in claimed if run.execution_id in execution_ids]
    await RelaySignals(redis).announce(execution_ids)
    await settle(served.unit_of_work, runner, *(completed(run.id, {}) for run in mine))
    await RelaySignals(redis).announce(execution_ids)
