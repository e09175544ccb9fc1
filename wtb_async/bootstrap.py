"""The only wiring: settings in, working parts out."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis

from wtb_async.application.outbox.relay_outbox import RelayOptions
from wtb_async.application.ports import RunMonitor
from wtb_async.application.runs.dispatch_runs import PoolSize
from wtb_async.application.runs.runner import RunnerLoop, RunnerOptions
from wtb_async.application.workflows.sync_project import ProjectGraph, sync_workflow
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.celery.run_reporter import RunReporter
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver, ReadPool
from wtb_async.infrastructure.evaluation.engine import ProjectEvaluationEngine
from wtb_async.infrastructure.langgraph.engine import LangGraphEngine
from wtb_async.infrastructure.langgraph.graph_cache import GraphCache
from wtb_async.infrastructure.langgraph.inspection import SubprocessGraphInspector
from wtb_async.infrastructure.langgraph.projects import ProjectRegistry
from wtb_async.infrastructure.postgres.database import (
    INDEX_ONLY_PLANS,
    Database,
    open_database,
)
from wtb_async.infrastructure.postgres.migrations import upgrade_database
from wtb_async.infrastructure.postgres.partitions import maintain_partitions
from wtb_async.infrastructure.redis.client import open_redis
from wtb_async.infrastructure.redis.nudges import RedisNudges
from wtb_async.settings import DEFAULT_RETENTION_MONTHS, Settings, asyncpg_url


@dataclass(frozen=True, slots=True)
class Platform:
    """What every process of the system stands on."""

    settings: Settings
    projects: ProjectRegistry
    database: Database
    redis: Redis
    nudges: RedisNudges
    inspector: SubprocessGraphInspector
    evaluation: ProjectEvaluationEngine


@asynccontextmanager
async def open_platform(
    settings: Settings,
    *,
    role: str,
    pool_size: int,
    server_settings: dict[str, str] | None = None,
) -> AsyncIterator[Platform]:
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
    evaluation = ProjectEvaluationEngine(projects)
    try:
        yield Platform(settings, projects, database, redis, nudges, inspector, evaluation)
    finally:
        await nudges.close()
        await redis.aclose()
        await database.close()


def prepare_database(database_url: str) -> None:
    """Migrate to the newest schema and make the partitions of the coming months.

    Must not be called on an event loop: Alembic starts one of its own.
    """
    upgrade_database(database_url)
    asyncio.run(_prepare_partitions(database_url))


async def _prepare_partitions(database_url: str) -> None:
    database = open_database(asyncpg_url(database_url), pool_size=1, application_name="wtb-migrate")
    await maintain_partitions(database.engine, DEFAULT_RETENTION_MONTHS)
    await database.close()


async def sync_all_projects(settings: Settings) -> list[str]:
    """Register the graphs and variants of every configured project; answers a line for each."""
    lines: list[str] = []
    async with open_platform(settings, role="sync", pool_size=2) as platform:
        for project in platform.projects:
            for name, graph in project.graphs.items():
                wanted = ProjectGraph(
                    name=name,
                    project=project.name,
                    graph=graph,
                    node_variants=project.variants.get(name, {}),
                    workflow_variants=project.workflow_variants.get(name, {}),
                )
                done = await sync_workflow(
                    wanted,
                    uow_factory=platform.database.unit_of_work,
                    inspector=platform.inspector,
                )
                lines.append(f"{name} ({graph}): {done}")
        platform.nudges.new_events()
    return lines


def relay_options(settings: Settings) -> RelayOptions:
    """How this system relays."""
    relay = settings.relay
    return RelayOptions(
        chunk_size=relay.chunk_size,
        claim_for=relay.claim_seconds,
        max_attempts=relay.max_attempts,
        backoff=relay.backoff_seconds,
        backoff_limit=relay.backoff_limit_seconds,
    )


def pool_size(settings: Settings) -> PoolSize:
    """How many runners this system has."""
    return PoolSize(
        slots=settings.runner.slots,
        minimum=settings.pool.min_runners,
        maximum=settings.pool.max_runners,
    )


@asynccontextmanager
async def open_runner(
    settings: Settings,
    *,
    name: str,
    pool: str,
    on_revoke: Callable[[str], None],
) -> AsyncIterator[tuple[Platform, Callable[[], RunnerLoop]]]:
    """Open all that a runner needs; answers a maker of loops, one for each life."""
    runner = settings.runner
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(
            open_platform(settings, role=name, pool_size=4, server_settings=INDEX_ONLY_PLANS)
        )
        saver = await _open_saver(settings, stack)
        graphs = GraphCache(_workflow_loader(platform.database), platform.projects, saver)
        monitor = _open_monitor(settings, name, on_revoke, stack)
        options = RunnerOptions(
            name=name,
            pool=pool,
            host=socket.gethostname(),
            pid=os.getpid(),
            slots=runner.slots,
            prefetch=runner.prefetch,
            claim_at_least=runner.claim_at_least,
            safety_poll=runner.safety_poll_seconds,
            heartbeat=runner.heartbeat_seconds,
            fence_after=runner.fence_after_seconds,
        )

        def new_life() -> RunnerLoop:
            return RunnerLoop(
                options,
                uow=platform.database.unit_of_work,
                engine=LangGraphEngine(graphs, saver),
                monitor=monitor,
                nudges=platform.nudges,
            )

        yield platform, new_life


async def _open_saver(settings: Settings, stack: AsyncExitStack) -> GroupCommitSaver:
    url = settings.database_url.get_secret_value()
    reads: ReadPool = AsyncConnectionPool(
        url,
        min_size=1,
        max_size=4,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    )
    await stack.enter_async_context(reads)
    writers = settings.runner.checkpoint_writers
    writes = await asyncpg.create_pool(
        url, min_size=writers, max_size=writers + 1, server_settings=INDEX_ONLY_PLANS
    )
    await stack.enter_async_context(writes)
    return await stack.enter_async_context(
        GroupCommitSaver(reads, writes, writers=writers, batch=settings.runner.checkpoint_batch)
    )


def _workflow_loader(database: Database) -> Callable[[UUID], Awaitable[Workflow]]:
    async def load(workflow_id: UUID) -> Workflow:
        async with database.unit_of_work() as uow:
            return await uow.workflows.get(workflow_id)

    return load


def _open_monitor(
    settings: Settings, name: str, on_revoke: Callable[[str], None], stack: AsyncExitStack
) -> RunMonitor:
    reporter = RunReporter(
        broker_url=settings.redis_url.get_secret_value(),
        hostname=f"{name}@{socket.gethostname()}",
        on_revoke=on_revoke,
    )
    reporter.start()
    stack.callback(reporter.stop)
    return reporter
