"""The application: everything on one event loop, nothing that blocks it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from api.errors import install_error_handlers
from api.routes import (
    batch_gates,
    batch_tests,
    commands,
    dataset_files,
    datasets,
    evaluators,
    execution_events,
    executions,
    growing_batches,
    health,
    test_cases,
    timelines,
    workflows,
)
from api.streams.hub import EventHub
from wtb_async.bootstrap.platform import open_platform
from wtb_async.infrastructure.redis.live_event_reader import LiveEventReader
from wtb_async.infrastructure.telemetry.logs import configure_logs
from wtb_async.settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; connections are opened when it starts.

    Args:
        settings: read from the environment when they are not given.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logs(settings.log_level)
        size = settings.api.database_pool_size
        async with open_platform(settings, role="api", pool_size=size) as platform:
            app.state.platform = platform
            app.state.hub = hub = EventHub(platform.redis)
            app.state.live_events = LiveEventReader(platform.redis)
            listening = asyncio.create_task(hub.run())
            try:
                yield
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    app = FastAPI(
        title="WTB async",
        summary="Find out which version of your LangGraph agent is better, and why.",
        version=version("wtb-async"),
        lifespan=lifespan,
    )
    app.state.settings = settings
    install_error_handlers(app)
    app.include_router(health.router)
    app.include_router(_api())
    return app


def _api() -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    for resource in (
        workflows,
        executions,
        commands,
        timelines,
        execution_events,
        batch_tests,
        evaluators,
        growing_batches,
        batch_gates,
        datasets,
        test_cases,
        dataset_files,
    ):
        router.include_router(resource.router)
    return router
