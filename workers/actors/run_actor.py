"""RunActor: a runner as a detached, async Ray actor."""

import asyncio
import os
from typing import Any
from uuid import UUID

import ray
import structlog
from ray.actor import ActorClass

from wtb_async.application.runs.runner import LeaseLost, RunnerLoop
from wtb_async.bootstrap.collecting import freeze_what_is_loaded
from wtb_async.domain.errors import WtbError
from wtb_async.infrastructure.langgraph.strict_msgpack import STRICT_MSGPACK
from wtb_async.infrastructure.ray.watchdog import LoopWatchdog
from wtb_async.infrastructure.redis.nudges import listen_for_wakes
from wtb_async.infrastructure.telemetry.logs import configure_logs
from wtb_async.settings import Settings

log = structlog.get_logger(__name__)

NEXT_LIFE_SECONDS = 1.0


class RunActor:
    """Hosts one runner; all its work is in `RunnerLoop`."""

    def __init__(self, *, name: str, pool: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._pool = pool
        self._settings = Settings.from_transfer(settings)
        self._loop: RunnerLoop | None = None
        self._work: asyncio.Task[None] | None = None
        configure_logs(self._settings.log_level)
        # Here, because Ray may have been started by others, and LangGraph is not imported yet.
        os.environ.update(STRICT_MSGPACK)

    async def work(self) -> None:
        """Look for pending runs; begin to, if this process is new or its work has ended."""
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._serve())
        elif self._loop is not None:
            self._loop.wake()

    async def _serve(self) -> None:
        """Live one runner's life after another, for as long as the actor lives."""
        # The Celery worker imports this class to start actors, and does without LangGraph.
        from wtb_async.bootstrap.runner import open_runner  # noqa: PLC0415
        from wtb_async.infrastructure.node_process.neighbours import (  # noqa: PLC0415
            protect_neighbours,
        )

        loop = asyncio.get_running_loop()

        def revoke(run_id: str) -> None:
            loop.call_soon_threadsafe(self._stop_run, run_id)

        async with open_runner(
            self._settings,
            name=self._name,
            pool=self._pool,
            on_revoke=revoke,
            owns_process=True,
        ) as (platform, new_life):
            protect_neighbours()
            freeze_what_is_loaded()
            watchdog = LoopWatchdog(loop, self._settings.runner.exit_after_seconds)
            watchdog.start()
            listener = asyncio.create_task(
                listen_for_wakes(
                    platform.redis,
                    self._pool,
                    on_runs=self._on_runs,
                    on_requests=self._on_requests,
                )
            )
            try:
                while True:
                    await self._live(new_life())
            finally:
                watchdog.stop()
                listener.cancel()

    async def _live(self, life: RunnerLoop) -> None:
        self._loop = life
        try:
            await life.run()
        except (LeaseLost, WtbError) as error:
            log.warning("runner_life_ended", runner=self._name, reason=str(error))
            await asyncio.sleep(NEXT_LIFE_SECONDS)
        finally:
            self._loop = None

    def _on_runs(self) -> None:
        if self._loop is not None:
            self._loop.wake()

    def _on_requests(self) -> None:
        if self._loop is not None:
            self._loop.heed()

    def _stop_run(self, run_id: str) -> None:
        if self._loop is not None:
            self._loop.stop_run(UUID(run_id))


def run_actor_class() -> ActorClass[Any]:
    """The class as Ray wants it."""
    actor_class: ActorClass[Any] = ray.remote(RunActor)
    return actor_class
