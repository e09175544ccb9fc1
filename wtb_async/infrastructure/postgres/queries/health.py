"""How the parts are that Postgres knows of."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_STATE = text(
    """
    SELECT
        (SELECT count(*) FROM wtb_runners WHERE status = 'alive'
            AND heartbeat_at > clock_timestamp() - make_interval(secs => :lease_seconds))
            AS runners,
        COALESCE((SELECT extract(epoch FROM clock_timestamp() - min(created_at)) * 1000
            FROM wtb_outbox WHERE sent_at IS NULL AND dead_at IS NULL), 0) AS relay_lag_ms
    """
)


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """Living runners, and the age of the oldest event that was not relayed."""

    runners: int
    relay_lag_ms: float


class HealthQueries:
    """Reads what `/ready` tells."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def state(self, lease_seconds: float) -> DatabaseState:
        """The present state."""
        async with self._engine.connect() as connection:
            result = await connection.execute(_STATE, {"lease_seconds": lease_seconds})
            row = result.one()
        return DatabaseState(int(row.runners), float(row.relay_lag_ms))
