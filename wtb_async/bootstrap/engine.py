"""What executes graphs, wherever the runner lives."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import UUID

from wtb_async.application.ports import LiveEvents
from wtb_async.application.runs.runner import RunnerOptions
from wtb_async.bootstrap.platform import Platform
from wtb_async.bootstrap.workspaces import ProcessWorkspaces
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.checkpoints.group_writer import WriterOptions
from wtb_async.infrastructure.checkpoints.open_saver import open_saver
from wtb_async.infrastructure.langgraph.engine import LangGraphEngine
from wtb_async.infrastructure.langgraph.graph_cache import GraphCache
from wtb_async.infrastructure.langgraph.node_boundaries import observe_nodes
from wtb_async.infrastructure.node_process.moving import NodeMover
from wtb_async.infrastructure.node_process.pool import NodeProcesses
from wtb_async.infrastructure.postgres.database import INDEX_ONLY_PLANS, Database
from wtb_async.settings import CoreSettings


@asynccontextmanager
async def open_engine(
    platform: Platform,
    live: LiveEvents,
    *,
    renew_threads: Callable[[], object] | None = None,
) -> AsyncIterator[tuple[LangGraphEngine, GraphCache]]:
    """An engine with a saver of its own, and the graphs that it has compiled.

    A process that is a runner and nothing else can `renew_threads` of its nodes, and then gives up
    what root may do, so that workspaces can hold links to blobs.
    """
    async with (
        _open_saver(platform.settings) as saver,
        _open_mover(platform.settings) as mover,
        AsyncExitStack() as stack,
    ):
        observe = partial(
            observe_nodes,
            log=saver.boundaries,
            max_value_bytes=platform.settings.runner.boundary_value_bytes,
        )
        graphs = GraphCache(
            _workflow_loader(platform.database),
            platform.projects,
            saver,
            move=mover.move,
            observe=observe,
        )
        workspaces = ProcessWorkspaces(platform, saver.files, renew_threads)
        stack.callback(workspaces.close)
        yield LangGraphEngine(graphs, saver, live, workspaces), graphs


def runner_options(settings: CoreSettings, *, name: str, pool: str) -> RunnerOptions:
    """How a runner of this process works."""
    runner = settings.runner
    return RunnerOptions(
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


def give_threads_to_nodes(slots: int) -> ThreadPoolExecutor:
    """Plain functions run in the loop's threads, by default a few more than there are processors.

    Most of them wait for somebody, a model or a database, and several may run side by side.
    """
    threads = ThreadPoolExecutor(2 * slots, thread_name_prefix="node")
    asyncio.get_running_loop().set_default_executor(threads)
    return threads


def _open_saver(settings: CoreSettings) -> AbstractAsyncContextManager[GroupCommitSaver]:
    runner = settings.runner
    options = WriterOptions(
        writers=runner.checkpoint_writers,
        batch=runner.checkpoint_batch,
        pending=runner.checkpoint_pending,
        pending_bytes=runner.checkpoint_pending_bytes,
    )
    url = settings.database_url.get_secret_value()
    return open_saver(url, options, server_settings=INDEX_ONLY_PLANS)


@asynccontextmanager
async def _open_mover(settings: CoreSettings) -> AsyncIterator[NodeMover]:
    limits = settings.node_processes
    async with NodeProcesses(
        most=limits.most, idle_seconds=limits.idle_seconds, start_seconds=limits.start_seconds
    ) as processes:
        yield NodeMover(processes, limit_bytes=limits.value_bytes)


def _workflow_loader(database: Database) -> Callable[[UUID], Awaitable[Workflow]]:
    async def load(workflow_id: UUID) -> Workflow:
        async with database.unit_of_work() as uow:
            return await uow.workflows.get(workflow_id)

    return load
