"""A server without a network: the same application, its workers beside it, in this process."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from math import inf
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from api.app import build_app
from api.backend import Backend
from api.probes import probe_postgres
from api.streams.hub import EventHub
from wtb_async.bootstrap.database import prepare_database
from wtb_async.bootstrap.engine import give_threads_to_nodes
from wtb_async.bootstrap.local import open_local
from wtb_async.infrastructure.embedded.local_database import local_database
from wtb_async.infrastructure.in_process.code import InProcessObjects
from wtb_async.infrastructure.langgraph.projects import Project, read_project
from wtb_async.infrastructure.telemetry.logs import pass_logs_to_host
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.in_process_transport import InProcessTransport
from wtb_async.sdk.references import Refer, find_importable
from wtb_async.settings import CoreSettings

DEFAULT_DATA_DIR = Path(".wtb/local")
_URL = "http://in-process"

Answer = TypeVar("Answer")


@asynccontextmanager
async def open_local_client(
    data_dir: str | Path | None, project: str | Path | None, *, slots: int
) -> AsyncIterator[tuple[WTBClient, Refer]]:
    """A client of the whole system in this process, and how it is given code.

    The arguments are those of `WTBTestBench.local`.
    """
    folder, given_url = Path(data_dir or DEFAULT_DATA_DIR), None
    if data_dir is None:
        given_url = os.environ.get("WTB_DATABASE_URL")
    projects = [] if project is None else [read_project(Path(project))]
    pass_logs_to_host()
    objects = InProcessObjects()
    async with AsyncExitStack() as stack:
        # One thread that no node can occupy, for what blocks.
        keeper = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="wtb-local"))
        url = await stack.enter_async_context(
            _entered_in(keeper, local_database(folder, given_url))
        )
        await _run_in(keeper, prepare_database, url)
        settings = _settings(url, slots, folder / "files")
        stack.enter_context(_node_threads(slots))
        hub = EventHub()
        application = build_app(settings, partial(_backend, settings, projects, objects, hub))
        await stack.enter_async_context(application.router.lifespan_context(application))
        client = WTBClient(
            _URL,
            api_key=settings.api_key.get_secret_value(),
            transport=InProcessTransport(application),
        )
        await stack.enter_async_context(client)
        yield client, partial(_refer, objects)


@asynccontextmanager
async def _backend(
    settings: CoreSettings, projects: Sequence[Project], objects: InProcessObjects, hub: EventHub
) -> AsyncIterator[Backend]:
    async with open_local(settings, projects, objects, announcements=hub) as parts:
        probes = [partial(probe_postgres, parts.platform)]
        yield Backend(parts.platform, hub, parts.live_events, probes)


def _refer(objects: InProcessObjects, role: str, found: object) -> str:
    """Name an object by its module where there is one, so that a later process finds it too."""
    return find_importable(found) or objects.put(role, found)


def _settings(database_url: str, slots: int, files_folder: Path) -> CoreSettings:
    settings = CoreSettings(
        database_url=SecretStr(database_url), api_key=SecretStr(secrets.token_hex()), projects=()
    )
    runner = settings.runner.model_copy(
        update={
            "slots": slots,
            # Claims are cheap here, and what is claimed must end before the bench does.
            "prefetch": 0,
            "claim_at_least": 1,
            # No nudge can get lost on the way.
            "safety_poll_seconds": 5.0,
            # Nobody else takes its runs, however long the caller keeps the loop to himself.
            "fence_after_seconds": inf,
        }
    )
    files = settings.files
    if "folder" not in files.model_fields_set:
        files = files.model_copy(update={"folder": files_folder})
    return settings.model_copy(update={"runner": runner, "files": files})


@contextmanager
def _node_threads(slots: int) -> Iterator[None]:
    """Threads for plain functions; one that does not return keeps its thread until it does."""
    threads = give_threads_to_nodes(slots)
    try:
        yield
    finally:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        threads.shutdown(wait=False, cancel_futures=True)


async def _run_in(
    executor: Executor, function: Callable[..., Answer], *arguments: object
) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)


@asynccontextmanager
async def _entered_in(
    executor: Executor, manager: AbstractContextManager[Answer]
) -> AsyncIterator[Answer]:
    """Enter and leave a context whose ends block; one that is being entered is always left."""
    entering = asyncio.create_task(_run_in(executor, manager.__enter__))
    try:
        await asyncio.wait([entering])
        yield entering.result()
    finally:
        await asyncio.wait([entering])
        if entering.exception() is None:
            await _run_in(executor, manager.__exit__, None, None, None)
