"""A runner with all that it needs."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import UUID

from wtb_async.application.ports import RunMonitor
from wtb_async.application.runs.runner import RunnerLoop, RunnerOptions
from wtb_async.bootstrap.platform import Platform, live_events, open_platform
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.celery.run_reporter import RunReporter
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.checkpoints.group_writer import WriterOptions
from wtb_async.infrastructure.checkpoints.open_saver import open_saver
from wtb_async.infrastructure.langgraph.engine import LangGraphEngine
from wtb_async.infrastructure.langgraph.graph_cache import GraphCache
from wtb_async.infrastructure.langgraph.node_boundaries import observe_nodes
from wtb_async.infrastructure.postgres.database import INDEX_ONLY_PLANS, Database
from wtb_async.settings import Settings


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
    _give_threads_to_nodes(runner.slots)
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(
            open_platform(settings, role=name, pool_size=4, server_settings=INDEX_ONLY_PLANS)
        )
        saver = await stack.enter_async_context(_open_saver(settings))
        observe = partial(
            observe_nodes, log=saver.boundaries, max_value_bytes=runner.boundary_value_bytes
        )
        graphs = GraphCache(
            _workflow_loader(platform.database), platform.projects, saver, observe=observe
        )
        live = live_events(settings, platform.redis)
        stack.push_async_callback(live.close)
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
            stop_grace=runner.stop_grace_seconds,
            abandon_after=runner.abandon_after_seconds,
        )

        def new_life() -> RunnerLoop:
            return RunnerLoop(
                options,
                uow=platform.database.unit_of_work,
                engine=LangGraphEngine(graphs, saver, live),
                monitor=monitor,
                nudges=platform.nudges,
            )

        yield platform, new_life


def _open_saver(settings: Settings) -> AbstractAsyncContextManager[GroupCommitSaver]:
    runner = settings.runner
    options = WriterOptions(
        writers=runner.checkpoint_writers,
        batch=runner.checkpoint_batch,
        pending=runner.checkpoint_pending,
        pending_bytes=runner.checkpoint_pending_bytes,
    )
    url = settings.database_url.get_secret_value()
    return open_saver(url, options, server_settings=INDEX_ONLY_PLANS)


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


def _give_threads_to_nodes(slots: int) -> None:
    """Plain functions run in the loop's threads, by default a few more than there are processors.

    Most of them wait for somebody, a model or a database, and several may run side by side.
    """
    threads = ThreadPoolExecutor(2 * slots, thread_name_prefix="node")
    asyncio.get_running_loop().set_default_executor(threads)
