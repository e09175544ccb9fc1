"""The application: everything on one event loop, nothing that blocks it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from api.backend import Backend, metrics_page, open_server
from api.errors import install_error_handlers
from api.request_ids import RequestIds
from api.routes import (
    audit,
    batch_commands,
    batch_gates,
    batch_tests,
    commands,
    dataset_files,
    datasets,
    evaluators,
    execution_events,
    executions,
    file_differences,
    files,
    growing_batches,
    health,
    integrity,
    metrics,
    outbox,
    test_cases,
    timelines,
    websocket,
    workflows,
)
from wtb_async.settings import CoreSettings, Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application of a server; connections are opened when it starts.

    Args:
        settings: read from the environment when they are not given.
    """
    settings = settings or Settings()
    return build_app(settings, partial(open_server, settings))


def build_app(
    settings: CoreSettings, open_backend: Callable[[], AbstractAsyncContextManager[Backend]]
) -> FastAPI:
    """Build the application on a backend that is opened when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_backend() as backend:
            app.state.platform = backend.platform
            app.state.hub = backend.hub
            app.state.live_events = backend.live_events
            app.state.probes = backend.probes
            app.state.metrics = metrics_page(backend.platform)
            yield

    app = _Application(
        title="WTB async",
        summary="Find out which version of your LangGraph agent is better, and why.",
        version=version("wtb-async"),
        lifespan=lifespan,
    )
    app.state.settings = settings
    install_error_handlers(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(_api())
    return app


class _Application(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        """Give ids to requests before anything else: unexpected errors are logged with them too."""
        return RequestIds(super().build_middleware_stack())


def _api() -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    for resource in (
        workflows,
        executions,
        commands,
        timelines,
        execution_events,
        file_differences,  # Before files: its path is one of a file, too.
        files,
        websocket,
        batch_tests,
        evaluators,
        batch_commands,
        growing_batches,
        batch_gates,
        datasets,
        test_cases,
        dataset_files,
        integrity,
        audit,
        outbox,
    ):
        router.include_router(resource.router)
    return router
