"""The engine and what stands on it."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from wtb_async.infrastructure.postgres.errors import translate_errors_of
from wtb_async.infrastructure.postgres.mapping import map_domain
from wtb_async.infrastructure.postgres.unit_of_work import PostgresUnitOfWork

# Claims and settlings join a handful of rows by primary key. A table that has just grown from
# nothing has no statistics, and the planner would read all of it for a hash join.
INDEX_ONLY_PLANS = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}


@dataclass(frozen=True, slots=True)
class Database:
    """One pool of connections, for one event loop."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]

    def unit_of_work(self) -> PostgresUnitOfWork:
        """A new unit of work; begins when entered."""
        return PostgresUnitOfWork(self.sessions)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def open_database(
    asyncpg_url: str,
    *,
    pool_size: int,
    application_name: str,
    server_settings: dict[str, str] | None = None,
) -> Database:
    """Prepare a pool; connections are made when they are needed.

    Args:
        asyncpg_url: `postgresql+asyncpg://...`.
        pool_size: connections at most.
        application_name: what `pg_stat_activity` shows.
        server_settings: parameters of each session.
    """
    map_domain()
    engine = create_async_engine(
        asyncpg_url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        connect_args={
            "server_settings": {
                "application_name": application_name,
                # A process frozen inside a transaction must not hold its row locks for ever.
                "idle_in_transaction_session_timeout": "30s",
                **(server_settings or {"jit": "off"}),
            },
            "timeout": 10,
        },
    )
    translate_errors_of(engine)
    return Database(engine, async_sessionmaker(engine, expire_on_commit=False, autoflush=False))


def _to_json(value: Any) -> str:  # noqa: ANN401 - SQLAlchemy hands over any JSON value
    return orjson.dumps(value).decode()
