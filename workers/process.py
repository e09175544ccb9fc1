"""One event loop and one set of connections per worker process, made after the fork."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import uvloop
from celery.signals import worker_process_init, worker_process_shutdown

from workers.celery_app import settings
from wtb_async.bootstrap.collecting import freeze_what_is_loaded
from wtb_async.bootstrap.platform import ServerPlatform, open_platform
from wtb_async.infrastructure.telemetry.logs import configure_logs

Result = TypeVar("Result")


class WorkerProcess:
    """What the tasks of this process share."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._stack = AsyncExitStack()
        self.platform: ServerPlatform = self._runner.run(
            self._stack.enter_async_context(open_platform(settings, role="worker", pool_size=4))
        )

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end on this process's loop, and send the nudges it left."""
        return self._runner.run(self._with_nudges(work))

    def close(self) -> None:
        """Close the connections and the loop."""
        self._runner.run(self._stack.aclose())
        self._runner.close()

    async def _with_nudges(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The loop stands still between tasks: what is held would wait for the next one."""
        try:
            return await work
        finally:
            await self.platform.nudges.flush()


_current: WorkerProcess | None = None


def current_process() -> WorkerProcess:
    """The shared parts. Raises RuntimeError outside of a worker process."""
    if _current is None:
        raise RuntimeError("tasks run in a Celery worker process only")
    return _current


@worker_process_init.connect
def _open(**_: object) -> None:
    global _current  # noqa: PLW0603 - Celery's signal is the only place where a process begins
    configure_logs(settings.log_level)
    _current = WorkerProcess()
    freeze_what_is_loaded()


@worker_process_shutdown.connect
def _close(**_: object) -> None:
    if _current is not None:
        _current.close()
