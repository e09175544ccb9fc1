"""What the processes of the system stand on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from wtb_async.application.outbox.relay_outbox import RelayOptions
from wtb_async.application.ports import Nudges
from wtb_async.application.runs.dispatch_runs import PoolSize
from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.infrastructure.evaluation.calling import CallOptions
from wtb_async.infrastructure.evaluation.engine import ProjectEvaluationEngine
from wtb_async.infrastructure.langgraph.code_source import CodeSources
from wtb_async.infrastructure.langgraph.inspection import CodeInspector, SubprocessGraphInspector
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.infrastructure.redis.client import open_redis
from wtb_async.infrastructure.redis.live_events import RedisLiveEvents
from wtb_async.infrastructure.redis.nudges import RedisNudges
from wtb_async.settings import CoreSettings, Settings, asyncpg_url


@dataclass(frozen=True, slots=True)
class Platform:
    """What use cases are called with, on one event loop."""

    settings: CoreSettings
    projects: CodeSources
    database: Database
    nudges: Nudges
    inspector: CodeInspector
    evaluation: ProjectEvaluationEngine
    files: ProcessFiles


@dataclass(frozen=True, slots=True)
class ServerPlatform(Platform):
    """The shared parts of a server's process. LangGraph, Ray and Celery are not among them."""

    settings: Settings
    projects: ProjectRegistry
    nudges: RedisNudges
    redis: Redis


@asynccontextmanager
async def open_platform(
    settings: Settings,
    *,
    role: str,
    pool_size: int,
    server_settings: dict[str, str] | None = None,
) -> AsyncIterator[ServerPlatform]:
    """Open the shared parts on the running event loop, and close them again.

    Args:
        settings: read once, by the process's entry point.
        role: what this process is; `pg_stat_activity` shows it.
        pool_size: database connections at most.
        server_settings: parameters of the database sessions.
    """
    projects = ProjectRegistry(settings.projects)
    database = open_database(
        asyncpg_url(settings.database_url.get_secret_value()),
        pool_size=pool_size,
        application_name=f"wtb-{role}",
        server_settings=server_settings,
    )
    redis = open_redis(settings.redis_url.get_secret_value())
    nudges = RedisNudges(redis)
    inspector = SubprocessGraphInspector(
        projects, timeout_seconds=settings.api.inspect_timeout_seconds
    )
    evaluation = ProjectEvaluationEngine(projects, call_options(settings))
    files = ProcessFiles(settings.files, database)
    try:
        yield ServerPlatform(
            settings, projects, database, nudges, inspector, evaluation, files, redis=redis
        )
    finally:
        files.close()
        await nudges.flush()
        await redis.aclose()
        await database.close()


def call_options(settings: CoreSettings) -> CallOptions:
    """How this system calls evaluators."""
    evaluation = settings.evaluation
    return CallOptions(
        timeout_seconds=evaluation.timeout_seconds,
        attempts=evaluation.attempts,
        concurrency=evaluation.concurrency,
    )


def relay_options(settings: CoreSettings) -> RelayOptions:
    """How this system relays."""
    relay = settings.relay
    return RelayOptions(
        chunk_size=relay.chunk_size,
        claim_for=relay.claim_seconds,
        max_attempts=relay.max_attempts,
        backoff=relay.backoff_seconds,
        backoff_limit=relay.backoff_limit_seconds,
    )


def live_events(settings: Settings, redis: Redis) -> RedisLiveEvents:
    """How this system's runners show what their graphs do."""
    live = settings.live
    return RedisLiveEvents(
        redis,
        max_value_bytes=live.value_bytes,
        buffer_bytes=live.buffer_bytes,
        kept_events=live.kept_events,
        keep_seconds=live.keep_seconds,
    )


def pool_size(settings: Settings) -> PoolSize:
    """How many runners this system has."""
    return PoolSize(
        slots=settings.runner.slots,
        minimum=settings.pool.min_runners,
        maximum=settings.pool.max_runners,
    )
